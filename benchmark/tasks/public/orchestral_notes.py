"""Notes of an orchestra: which instrument plays, and at which pitch?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Item, Task

SET = "orchestral_notes"

#: The instrument; split by note as in the set.
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
    """The notes of a range of pitches. A pitch is tested on instruments that it was not trained on.

    Attributes:
        clips: all notes with their MIDI numbers as labels.
        lowest: lowest MIDI number.
        highest: highest MIDI number.
    """

    clips: LabelledClips
    lowest: int
    highest: int

    def __call__(self, sources: Path) -> Iterator[Item]:
        """Yield the files.

        Args:
            sources: the folder of labelled sets.
        """
        for item in self.clips(sources):
            if self.lowest <= int(str(item.labels[0])) <= self.highest:
                yield item


#: heareval takes the pitch class from the position in the vocabulary, so no number of the range may be missing. Each
#: pitch from C2 to D6 is played by at least four instruments.
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
