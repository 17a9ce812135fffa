"""What `byola-hear predict` searches: recordings, or a table of their embeddings."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from byola_hear.cli.cluster import extracted
from byola_hear.cli.inputs import found_clips, is_table
from byola_hear.cli.terminal import Progress
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request, request_for
from byola_hear.extraction.rows import Event, Failed
from byola_hear.models.model import ByolaModel

if TYPE_CHECKING:
    from byola_hear.classification.classifier import Classifier
    from byola_hear.classification.predicting import Scored


@dataclass(frozen=True)
class Source:
    """The recordings to search.

    Attributes:
        files: their paths.
        absent: paths that give none.
        score: scores some of the files, and reports the events to a progress bar.
    """

    files: list[str]
    absent: list[Failed]
    score: Callable[[list[str], Progress], Generator[Scored | Failed, None, None]]


def source_of(
    paths: tuple[str, ...],
    lists: tuple[str, ...],
    share: str | None,
    classifier: Classifier,
    hop: float | None,
    name: str | None,
    device: str | None,
    workers: int | None,
    address: str | None,
) -> Source:
    """Recordings, or a table of their embeddings."""
    from byola_hear.classification.predicting import network_of, score, score_table
    from byola_hear.tables import read_table

    if any(map(is_table, paths)):
        if len(paths) > 1 or lists or any(value is not None for value in (name, hop, share, address)):
            raise ValueError(
                "expected one table alone, without --hop, --model, --shard and --ray: a table has its windows"
            )
        scored = {each.track.file: each for each in score_table(read_table(paths[0]), classifier, paths[0])}

        def of_table(files: list[str], progress: Progress) -> Generator[Scored | Failed, None, None]:
            yield from map(scored.__getitem__, files)

        return Source(list(scored), [], of_table)
    if not (paths or lists):
        raise ValueError("expected recordings, a table or --list; got nothing")
    clips, absent = found_clips(paths, lists, None, share)
    model = network_of(classifier, name, device or "cpu")
    if hop is not None:
        request_for(model, "scene", classifier.window, hop)  # refuses a hop of less than a sample

    def scores(files: list[str], progress: Progress) -> Generator[Scored | Failed, None, None]:
        def elsewhere(wanted: list[Clip], model: ByolaModel, request: Request) -> Iterator[Event]:
            return extracted(wanted, model, request, workers, address=address)

        given = None if address is None else elsewhere
        return score([Clip(file) for file in files], classifier, model, hop, workers, progress.add, given)

    return Source(list(dict.fromkeys(clip.file for clip in clips)), absent, scores)


def searched(source: Source, files: list[str], progress: Progress, failures: dict[str, str]) -> Iterator[Scored]:
    """The scores of the recordings that can be read; the others are reported and added to ``failures``."""
    for failed in source.absent:
        failures[failed.clip.file] = failed.reason
        progress.complain(f"{failed.clip.file}: {failed.reason}")
    with closing(source.score(files, progress)) as results:
        for each in results:
            if isinstance(each, Failed):
                failures[each.clip.file] = each.reason
                progress.complain(f"{each.clip.file}: {each.reason}")
            else:
                yield each
