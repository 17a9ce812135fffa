"""Notes of an orchestra: which instrument plays, and which pitch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Item, Task

SET = "orchestral_notes"

#: Instrument, which goes to the sources' own split by note.
INSTRUMENT = Task(
    name="orchestral_notes",
    title="instruments",
    domain="nonspeech",
    description="twelve instruments, single notes of all loudness, split by note",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=1.5,
    evaluation=("top1_acc",),
    items=LabelledClips(SET, group="note"),
    sources=(SET,),
)


@dataclass(frozen=True)
class Pitches:
    """The notes of a range of pitches; what tests a pitch is an instrument that training did not have it from.

    Attributes:
        clips: all notes with their MIDI numbers as labels.
        lowest: the first MIDI number that is used.
        highest: the last.
    """

    clips: LabelledClips
    lowest: int
    highest: int

    def __call__(self, sources: Path) -> Iterator[Item]:
        """The files, from the folder of labelled sets."""
        for item in self.clips(sources):
            if self.lowest <= int(str(item.labels[0])) <= self.highest:
                yield item


#: heareval scores the pitch class by the place in the vocabulary, so no number of the range may be missing: from
#: C2 to D6 at least four instruments play each.
PITCH = Task(
    name="pitch",
    title="pitch",
    domain="nonspeech",
    description="51 pitches from C2 to D6 of twelve instruments; each tested on instruments it was not learnt from",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=1.0,
    evaluation=("pitch_acc", "chroma_acc"),
    items=Pitches(
        LabelledClips(SET, label="midi_pitch", group="note", shares={"train": 0.6, "valid": 0.2, "test": 0.2}), 36, 86
    ),
    sources=(SET,),
)

TASKS = (INSTRUMENT, PITCH)
