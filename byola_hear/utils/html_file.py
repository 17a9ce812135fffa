"""A single HTML file with styles, scripts and data inside; the data may contain any text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Sequence
from importlib.resources import files as resources
from pathlib import Path
from urllib.parse import quote

#: What stands around the body of every page.
_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{policy}}">
<title>{{title}}</title>
<style>{{style}}</style>
</head>
<body>
%s<script id="data" type="application/json">{{data}}</script>
<script>{{script}}</script>
</body>
</html>
"""


def html_file(
    package: str,
    title: str,
    data: object,
    *,
    scripts: Sequence[str] = ("page.js",),
    styles: Sequence[str] = ("page.css",),
    media: str = "data:",
) -> bytes:
    """Build a page that works offline and runs no scripts but its own.

    Args:
        package: package with ``page.html``, the styles and the scripts. ``page.html`` is the inside of the body, and
            ``{{title}}`` in it becomes the title. The data follow it in a script element called ``data``.
        title: title of the page, any text.
        data: JSON values; strings may contain any text.
        scripts: names of the scripts, which are joined in this order; those of another package as ``package/name``.
        styles: names of the style sheets, likewise.
        media: allowed sources of sounds, as in a content security policy.

    Returns:
        The file.

    Raises:
        ValueError: if a number in the data is not finite.
    """
    style, script = ("\n".join(_resource(package, name) for name in names) for names in (styles, scripts))
    parts = {
        # Only our style and scripts, and only sounds and pictures that are in the file.
        "policy": f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; media-src {media}; "
        "img-src data:",
        "title": html.escape(title),
        "style": style,
        "script": script,
        "data": _json_in_html(data),
    }
    template = _FRAME % _resource(package, "page.html")
    # One pass, so that placeholders inside a part are not replaced.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template).encode()


def link(file: str, page: Path) -> str:
    """URL of a file relative to the folder of the page that links to it. The name may hold any bytes."""
    folder = os.path.dirname(os.path.abspath(page))
    try:
        relative = Path(os.path.relpath(os.path.abspath(file), folder)).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.abspath(file)).as_uri()
    # A colon in the first part of a name would be read as a URL scheme.
    return quote(os.fsencode(relative if relative.startswith("../") else f"./{relative}"))


def displayable(name: str) -> str:
    """A name for display: bytes that are not UTF-8 become question marks."""
    return name.encode("utf-8", "replace").decode()


def _resource(package: str, name: str) -> str:
    """The text of a file of a package; of another one if the name says so."""
    other, _, file = name.rpartition("/")
    return (resources(other or package) / file).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """The hash by which a policy allows a style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _json_in_html(data: object) -> str:
    """JSON in ASCII without the special characters of HTML, so that strings can't end the element."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
