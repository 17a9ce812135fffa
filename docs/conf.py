"""How Sphinx builds the documentation: ``make docs``, without a network, warnings as errors."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
# The benchmark is not installed: its commands run from a checkout, and so does their reference.
sys.path.insert(0, str(REPOSITORY))

import byola_hear  # noqa: E402

project = "byola_hear"
author = "byola_hear maintainers"
project_copyright = "byola_hear maintainers, Apache-2.0"
version = release = byola_hear.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["sg_execution_times.rst"]

# --- pages ------------------------------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "deflist"]
# Headings down to this level can be linked to, as on a forge.
myst_heading_anchors = 3

# --- the reference, from docstrings ---------------------------------------------------------------------------

# A reference in a docstring leads to something, but for what other projects document.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(numpy|pathlib|torch|pandas|sklearn|collections)\b.*")]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = ["Shape", "Source"]

# --- the examples, executed -----------------------------------------------------------------------------------

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": r"plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "backreferences_dir": None,
}

# --- how it looks ---------------------------------------------------------------------------------------------

html_theme = "furo"
html_title = f"byola_hear {release}"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "monokai"

# `make docs-links` alone looks beyond this folder.
linkcheck_timeout = 20
linkcheck_workers = 4


def help_as_code(app: Any, context: Any, lines: list[str]) -> None:
    """Options and quoted commands in the help of a command, as code: two hyphens would become a dash."""
    for index, line in enumerate(lines):
        if not line.lstrip().startswith(".."):
            line = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", line)
            parts = re.split(r"(``.*?``)", line)
            parts[::2] = [re.sub(r"(?<![\w-])(--?[a-z][a-z-]*)", r"``\1``", part) for part in parts[::2]]
            lines[index] = "".join(parts)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    for part in ("description", "options", "arguments", "epilog"):
        app.connect(f"sphinx-click-process-{part}", help_as_code)
