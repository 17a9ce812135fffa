"""What the tests of the command line share: a zoo of small models, and a way to run commands in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from byola_hear.cli.main import main
from byola_hear.models import zoo
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo
from tests.cli.result import Result


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zoo of two small models."""
    folder = tmp_path_factory.mktemp("zoo")
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=10)
    for seed, name in enumerate(("both", "speech")):
        torch.manual_seed(seed)
        config = ModelConfig(name, "1.5", FrontendConfig(n_mels=16), encoder, -7.0, 4.0, training={"hours": 12.25})
        add_to_zoo(ByolaModel(config), folder)
    return folder


@pytest.fixture(scope="module")
def run_in(models: Path) -> Callable[..., None]:
    """Runs a command in a folder, for what the tests of a module share."""

    def run_in(folder: Path, *arguments: object) -> None:
        with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as exit_:
            patched.setattr(zoo, "zoo_folder", lambda: models)
            patched.chdir(folder)
            main([str(argument) for argument in arguments])
        assert not exit_.value.code

    return run_in


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs the command line in this process, with the small models as its zoo."""
    monkeypatch.setattr(zoo, "zoo_folder", lambda: models)

    def run(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Result(int(exit_.value.code or 0), out, err)

    return run
