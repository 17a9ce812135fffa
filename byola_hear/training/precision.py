"""Which precision a device is fast in."""

from __future__ import annotations

import time
from functools import lru_cache

import torch
from torch.nn import functional

#: Names of precisions.
PRECISIONS = ("auto", "bfloat16", "float32")
#: bfloat16 is chosen if its time is below this part of float32's, as other parts of a step gain less.
_WORTH_IT = 0.8
#: Rows, inputs and outputs of the linear layer that is timed, and how often.
_ROWS, _SIZE, _TIMES = 256, 1024, 5


def precision_for(name: str, device: torch.device) -> torch.dtype | None:
    """Choose the dtype of autocast.

    Args:
        name: ``auto``, ``bfloat16`` or ``float32``. ``auto`` takes bfloat16 if the device is faster with it.
        device: device that trains.

    Returns:
        The dtype, or None to compute in float32 throughout.

    Raises:
        ValueError: if the name is unknown.
    """
    if name == "float32":
        return None
    if name == "bfloat16":
        return torch.bfloat16
    if name != "auto":
        raise ValueError(f"precision must be 'auto', 'bfloat16' or 'float32', got {name!r}")
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = torch.cpu._is_avx512_bf16_supported() and _cpu_is_faster_in_bfloat16()
    return torch.bfloat16 if fast else None


@lru_cache(maxsize=1)
def _cpu_is_faster_in_bfloat16() -> bool:
    """Time a linear layer in both precisions.

    A processor that has instructions for bfloat16 may still be half as fast with them: Intel's AVX512-BF16 uses one
    port where float32 uses two.
    """
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        x, weight = torch.ones(_ROWS, _SIZE, dtype=dtype), torch.ones(_SIZE, _SIZE, dtype=dtype)
        functional.linear(x, weight)
        times = []
        for _ in range(_TIMES):
            # The time of this thread, so that other programs do not count.
            begun = time.thread_time()
            functional.linear(x, weight)
            times.append(time.thread_time() - begun)
        seconds[dtype] = min(times)
    return seconds[torch.bfloat16] < _WORTH_IT * seconds[torch.float32]
