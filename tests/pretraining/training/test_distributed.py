from __future__ import annotations

import pytest
import torch

from byola_hear.pretraining.training.distributed import device_of, launched


def test_unknown_and_missing_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("abacus", "mps"):
        with pytest.raises(ValueError, match=f"expected a device such as.*{name}"):
            device_of(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="expected one of the 2 available GPUs, got 'cuda:9'"):
        device_of("cuda:9")


def test_one_process_is_the_first_of_one() -> None:
    with launched("cpu") as place:
        assert (place.rank, place.world_size, place.device) == (0, 1, torch.device("cpu"))
