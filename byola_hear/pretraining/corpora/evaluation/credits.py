"""Read the credits that come with a corpus: copyright files, readmes, lists of authors and manifests."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from byola_hear.pretraining.corpora.packages.deb import read_files
from byola_hear.pretraining.corpora.sounds.clonk_archives import clonk_files
from byola_hear.pretraining.corpora.sounds.find import sound_suffixes
from byola_hear.utils.text import as_utf8
from byola_hear.utils.unpack import read_members

#: Endings of the names of texts.
_TEXTS = frozenset(
    (
        *("", ".txt", ".md", ".rst", ".rtf", ".html", ".htm", ".csv", ".tsv", ".json", ".xml", ".yml", ".yaml", ".cfg"),
        *(".readme", ".license", ".licence", ".gz"),
    )
)
#: How the names of credits begin. They may have any ending but that of sounds.
_CREDITS = re.compile(r"readme|licen[cs]e|copying|copyright|credits|authors", re.IGNORECASE)
#: Longest text that is read, in bytes.
_LONGEST = 8 << 20


def credit_texts(package: Path) -> Iterator[tuple[str, str]]:
    """Read every text of a package, tar, wheel or folder.

    The names of all files of a tar or folder are a text as well, as they may contain ids.

    Args:
        package: a Debian package, a wheel, a tar or a folder.

    Yields:
        The name of a text, and the text.

    Raises:
        ValueError: if the package can't be read.
    """
    names: list[str] = []

    def wanted(name: str) -> bool:
        names.append(name)
        path = PurePosixPath(name)
        suffix = path.suffix.lower()
        return suffix in (*_TEXTS, ".ocg") or bool(_CREDITS.match(path.name) and suffix not in sound_suffixes())

    if package.is_dir():
        files = [path for path in sorted(package.rglob("*")) if path.is_file()]
        contents = ((path.relative_to(package).as_posix(), path) for path in files)
        pairs: Iterator[tuple[str, bytes]] = ((name, path.read_bytes()) for name, path in contents if wanted(name))
    elif package.suffix == ".deb":
        pairs = iter(read_files(package, wanted).items())
    else:
        pairs = read_members(package, wanted)
    for name, content in pairs:
        if name.lower().endswith(".ocg"):
            yield from ((f"{name}/{inner}", _text(inner, data)) for inner, data in _clonk_texts(name, content))
        else:
            yield name, _text(name, content)
    yield "names of files", "\n".join(names)


def _clonk_texts(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The texts in an archive of OpenClonk. One that can't be read has none."""
    try:
        yield from ((inner, data) for inner, data in clonk_files(name, content) if inner.lower().endswith(".txt"))
    except ValueError:
        return


def _text(name: str, content: bytes) -> str:
    """Decode a text; empty for what is not one."""
    if name.endswith(".gz"):
        try:
            # No more is unpacked than is read, however large the content claims to be.
            content = zlib.decompressobj(wbits=31).decompress(content, _LONGEST)
        except (zlib.error, gzip.BadGzipFile):
            return ""
    if len(content) > _LONGEST:
        return ""
    try:
        content = as_utf8(content, name)
    except ValueError:
        return ""
    if b"\0" in content[:4096]:
        return ""
    return content.decode("utf-8", "replace")
