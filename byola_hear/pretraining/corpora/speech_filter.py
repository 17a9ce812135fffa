"""Find sounds that contain speech, with Silero's voice-activity detector.

It needs the packages silero-vad, which contains the detector's model, and onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from byola_hear.pretraining.corpora.decode import SAMPLE_RATE

#: Length of a frame of the detector, in seconds.
FRAME_S = 512 / SAMPLE_RATE
#: A frame of at least this probability is speech.
SPEECH_PROBABILITY = 0.5
#: A pause of up to this many frames, about 0.1 s, does not end a segment of speech.
PAUSE_FRAMES = 3
#: A sound contains speech if a segment of speech is at least this long, in seconds.
SHORTEST_SPEECH_S = 0.25

#: A function from 16 kHz samples, ``(n_samples,)`` int16, to the probability of speech in each frame, ``(n_frames,)``.
Detector = Callable[[NDArray[np.int16]], NDArray[np.float32]]


def load_detector() -> Detector:
    """Load Silero's detector.

    Raises:
        ValueError: if silero-vad or onnxruntime is not installed or too old.
    """
    import torch

    threads = torch.get_num_threads()
    try:
        from silero_vad import load_silero_vad

        model = load_silero_vad(sequence=True)
    except (ImportError, TypeError) as error:
        raise ValueError(
            "finding speech needs silero-vad 6.2.2 or later and onnxruntime (pip install silero-vad onnxruntime); "
            f"--keep-speech does without: {error}"
        ) from None
    finally:
        # Importing silero-vad sets torch to one thread for the whole process.
        torch.set_num_threads(threads)

    def probabilities(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        if len(pcm) == 0:
            return np.zeros(0, np.float32)
        found: NDArray[np.float32] = model.audio_forward(pcm.astype(np.float32) / 32768.0)
        return found

    return probabilities


def longest_speech_s(probabilities: NDArray[np.float32]) -> float:
    """Measure the longest segment of speech, including short pauses within it.

    Args:
        probabilities: ``(n_frames,)`` probability of speech in each frame of 32 ms.

    Returns:
        Length of the segment, in seconds; 0 if there is no speech.

    Example:
        >>> longest_speech_s(np.array([0.1, 0.9, 0.9, 0.2, 0.8, 0.0, 0.0, 0.0, 0.0, 0.9]))
        0.128
    """
    speech = np.flatnonzero(probabilities >= SPEECH_PROBABILITY)
    if len(speech) == 0:
        return 0.0
    breaks = np.flatnonzero(np.diff(speech) > PAUSE_FRAMES + 1)
    firsts = speech[np.concatenate(([0], breaks + 1))]
    lasts = speech[np.concatenate((breaks, [len(speech) - 1]))]
    return float((lasts - firsts + 1).max()) * FRAME_S


def contains_speech(pcm: NDArray[np.int16], detector: Detector) -> bool:
    """Whether a sound contains speech.

    Args:
        pcm: ``(n_samples,)`` int16 samples at 16 kHz.
        detector: detector from :func:`load_detector`.
    """
    return longest_speech_s(detector(pcm)) >= SHORTEST_SPEECH_S
