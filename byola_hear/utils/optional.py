"""Optional packages: what to say of one that is missing, too old, or refused by what it builds on."""

from __future__ import annotations

from importlib import import_module

from byola_hear.utils.text import one_line


def lack(module: str, package: str, extra: str) -> str | None:
    """Import an optional package, and say what to do if that fails.

    A package that is installed may still not work: numba, which UMAP needs, refuses a NumPy that is newer than itself.

    Args:
        module: the module to import.
        package: the name of its package, with the version that it needs if that matters.
        extra: the extra of this package that installs it.

    Returns:
        None if the module can be used; else what follows "needs" in an error.

    Example:
        >>> lack("json", "json", "all"), lack("no_module", "no-module", "all")
        (None, "no-module: pip install 'byola-hear[all]'")
    """
    try:
        import_module(module)
    except Exception as error:
        return advice(error, module, package, extra)
    return None


def advice(error: Exception, module: str, package: str, extra: str) -> str:
    """What to do about an optional package whose import failed: its extra and, unless it is just missing, the reason.

    Args:
        error: what the import raised.
        module: as for :func:`lack`.
        package: as there.
        extra: as there.

    Returns:
        What follows "needs" in an error.
    """
    how = f"{package}: pip install 'byola-hear[{extra}]'"
    root = module.partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == root:
        return how
    return f"{how}; what is installed can't be imported: {one_line(error)}"
