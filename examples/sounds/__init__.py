"""Where the sounds are that the examples use; ``LICENCES.md`` in each folder says where they come from."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent

#: The root of the checkout.
REPOSITORY = _HERE.parents[1]
#: Six short clips of many forms: speech, music and ambience, 8 to 96 kHz, WAV to MP3.
CLIPS = REPOSITORY / "tests" / "data"
#: 39 single strokes in five folders: bass_drum, cymbal, snare, tabla, tom.
PERCUSSION = _HERE / "percussion"
#: Five seconds of a tabla.
TABLA_LOOP = _HERE / "tabla_loop.flac"
