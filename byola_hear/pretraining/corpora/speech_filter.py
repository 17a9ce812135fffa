"""Which sounds hold speech: Silero's voice-activity detector, and the rule that decides over a sound.

Needs the packages silero-vad and onnxruntime; the detector's model is in the first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from byola_hear.pretraining.corpora.decode import SAMPLE_RATE

#: Length of the frames that the detector judges, seconds.
FRAME_S = 512 / SAMPLE_RATE
#: A frame is speech from this probability on.
SPEECH_PROBABILITY = 0.5
#: Pauses of up to so many frames do not end a stretch of speech: about 0.1 s.
PAUSE_FRAMES = 3
#: A sound holds speech if a stretch of speech is at least so long, seconds.
SHORTEST_SPEECH_S = 0.25

#: Gives the probability of speech in each frame, ``(n_frames,)``, of 16 kHz samples, ``(n_samples,)`` int16.
Detector = Callable[[NDArray[np.int16]], NDArray[np.float32]]


def load_detector() -> Detector:
    """Load Silero's detector.

    Raises:
        ValueError: if silero-vad or onnxruntime is not installed, or too old.
    """
    import torch

    threads = torch.get_num_threads()
    try:
        from silero_vad import load_silero_vad

        model = load_silero_vad(sequence=True)
    except (ImportError, TypeError) as error:
        raise ValueError(
            "leaving speech out needs silero-vad 6.2.2 or later and onnxruntime "
            f"(pip install silero-vad onnxruntime), or --keep-speech: {error}"
        ) from None
    finally:
        # Importing silero-vad leaves torch with one thread, for whatever else this process does.
        torch.set_num_threads(threads)

    def probabilities(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        if len(pcm) == 0:
            return np.zeros(0, np.float32)
        found: NDArray[np.float32] = model.audio_forward(pcm.astype(np.float32) / 32768.0)
        return found

    return probabilities


def longest_speech_s(probabilities: NDArray[np.float32]) -> float:
    """The longest stretch of speech, short pauses within it included.

    Args:
        probabilities: of speech, ``(n_frames,)``, one each 32 ms.

    Returns:
        Seconds; 0 if there is none.

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


def holds_speech(pcm: NDArray[np.int16], detector: Detector) -> bool:
    """Whether somebody speaks in a sound.

    Args:
        pcm: ``(n_samples,)`` int16, 16 kHz.
        detector: from :func:`load_detector`.
    """
    return longest_speech_s(detector(pcm)) >= SHORTEST_SPEECH_S
