"""``python -m benchmark.hear_tools``: the compatibility layer, into this environment or out of it again."""

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

#: Runs at every start of Python in the environment: quick, and silent even when the hook is broken or gone.
PTH_LINE = (
    "import sys; exec('try:\\n    import hear_tools_hook\\n    hear_tools_hook.install()\\n"
    "except Exception:\\n    pass')\n"
)


def site_packages() -> Path:
    """Where this Python keeps what is installed into its environment."""
    return Path(sysconfig.get_path("purelib"))


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def install(folder: Path) -> list[Path]:
    """Copy the hook and the ``.pth`` file that starts it.

    Args:
        folder: a site-packages folder.

    Returns:
        The files written, the ``.pth`` file last: it must not find the hook half there.
    """
    hook, pth = folder / HOOK_NAME, folder / PTH_NAME
    write(hook, Path(__file__).with_name("hook.py").read_text(encoding="utf-8"))
    py_compile.compile(str(hook))  # Now and not at every start, where Python may be told to write no caches.
    write(pth, PTH_LINE)
    return [hook, pth]


def uninstall(folder: Path) -> list[Path]:
    """Remove what :func:`install` wrote.

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
        description="What lets heareval 2021.1.3 and hearvalidator 2021.0.6 run on today's Python.",
    )
    parser.add_argument("action", choices=("install", "uninstall", "status"))
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
