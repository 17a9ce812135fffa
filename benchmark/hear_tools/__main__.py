"""``python -m benchmark.hear_tools``: install the compatibility layer into this environment, or remove it."""

from __future__ import annotations

import argparse
import os
import py_compile
import sys
import sysconfig
from importlib.util import cache_from_source
from pathlib import Path

HOOK_NAME = "hear_tools_hook.py"
PTH_NAME = "hear_tools_hook.pth"

#: Runs at every start of Python in the environment. It is fast, and silent even if the hook is broken or missing.
PTH_LINE = (
    "import sys; exec('try:\\n    import hear_tools_hook\\n    hear_tools_hook.install()\\n"
    "except Exception:\\n    pass')\n"
)


def site_packages() -> Path:
    """The folder of installed packages of this environment."""
    return Path(sysconfig.get_path("purelib"))


def write(path: Path, text: str) -> None:
    """Write a file atomically."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def install(folder: Path) -> list[Path]:
    """Copy the hook, and then write the ``.pth`` file that starts it.

    Args:
        folder: a site-packages folder.

    Returns:
        The files written.
    """
    hook, pth = folder / HOOK_NAME, folder / PTH_NAME
    write(hook, Path(__file__).with_name("hook.py").read_text(encoding="utf-8"))
    py_compile.compile(str(hook))  # Python may be configured to write no caches later.
    write(pth, PTH_LINE)
    return [hook, pth]


def uninstall(folder: Path) -> list[Path]:
    """Remove the files that :func:`install` wrote.

    Args:
        folder: a site-packages folder.

    Returns:
        The files removed; empty if nothing was installed.
    """
    hook, pth = folder / HOOK_NAME, folder / PTH_NAME
    found = [path for path in (pth, hook) if path.exists()]
    for path in (pth, hook, Path(cache_from_source(str(hook)))):
        path.unlink(missing_ok=True)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark.hear_tools",
        description="The compatibility layer that runs heareval 2021.1.3 and hearvalidator 2021.0.6 on today's Python.",
    )
    parser.add_argument(
        "action",
        choices=("install", "uninstall", "status"),
        help="install or remove the layer, or report whether it is installed",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="name the files written or removed")
    options = parser.parse_args(arguments)
    folder = site_packages()
    if options.action == "status":
        installed = (folder / PTH_NAME).exists() and (folder / HOOK_NAME).exists()
        print(f"{'installed' if installed else 'not installed'} in {folder}")
        return 0 if installed else 1
    try:
        files = install(folder) if options.action == "install" else uninstall(folder)
    except OSError as error:
        print(f"error: could not {options.action} in {folder}: {error}", file=sys.stderr)
        return 2
    print(f"HEAR tools' compatibility layer: {options.action}ed, {len(files)} files in {folder}")
    if options.verbose:
        print("\n".join(f"  {path}" for path in files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
