"""Import modules without the collections of garbage that their many objects cause."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import ModuleType


def imported_at_once(name: str) -> ModuleType:
    """Import a module and what it needs, without a collection of garbage in between.

    torch alone makes some hundred thousand objects that live as long as the program. Each collection of all objects
    looks at them again, and so does the last one, at the program's end. Here they are taken out of collections. That
    holds for everything in the process, so this is for a command line and not for a library.

    Args:
        name: the module's full name.
    """
    if name in sys.modules:
        return sys.modules[name]
    collects = gc.isenabled()
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        if collects:
            gc.enable()
