"""Read audio files of any format as mono float32 waveforms at any rate, whole or in blocks."""

from byola_hear.audio.opening import open_source
from byola_hear.audio.reading import AUDIO_SUFFIXES, audio_suffixes, read_audio, read_blocks
from byola_hear.audio.source import AudioFileError, AudioFileWarning

__all__ = [
    "AUDIO_SUFFIXES",
    "AudioFileError",
    "AudioFileWarning",
    "audio_suffixes",
    "open_source",
    "read_audio",
    "read_blocks",
]
