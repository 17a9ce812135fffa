"""The commands as a user types them, from a folder of audio to a checkpoint."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.loading import load_named
from byola_hear.models.zoo import list_models
from tests.pretraining.running import QUICK, QUICK_MASKED, run


def test_from_a_folder_to_a_checkpoint(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("manifest", tones, "-o", tmp_path / "a.csv", "--kind", "tones", "--licence", "CC0-1.0") == 0
    assert run("manifest", tones, "-o", tmp_path / "b.csv", "--kind", "more") == 0
    assert run("match", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "sets", "--names", "x", "y") == 0
    assert sorted(path.name for path in (tmp_path / "sets").iterdir()) == [
        "both.csv",
        "matching.json",
        "x.csv",
        "y.csv",
    ]
    assert run("cache", tmp_path / "sets" / "both.csv", "-o", tmp_path / "sets" / "both.cache") == 0
    options = ["--steps", "11", *QUICK, "--channels", "8"]
    assert run("train", tmp_path / "sets" / "both.csv", "-o", tmp_path / "run", *options) == 0
    assert "step 11 of 11" in capsys.readouterr().out
    assert run("plot", tmp_path / "run", "-o", tmp_path / "curves.png") == 0
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert run("export", tmp_path / "run", "-o", tmp_path / "zoo", "--name", "mine") == 0
    assert list_models(tmp_path / "zoo") == ["mine"]
    shape = load_named("mine", tmp_path / "zoo").config.encoder
    assert isinstance(shape, EncoderConfig)
    assert (shape.hidden_size, shape.channels, shape.n_blocks) == (16, 8, 2)
    assert (tmp_path / "zoo" / "byola-mine.log.csv").read_bytes() == (tmp_path / "run" / "log.csv").read_bytes()


def test_a_transformer_by_masked_prediction(
    tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--cache", tone_cache_folder, "--steps", "11", *QUICK_MASKED]
    assert run("train", tone_manifest, "-o", tmp_path / "run", *options) == 0
    assert run("plot", tmp_path / "run", "-o", tmp_path / "curves.png") == 0
    assert run("export", tmp_path / "run", "-o", tmp_path / "zoo", "--layers", "2", "--pooling", "mean") == 0
    config = load_named("run", tmp_path / "zoo").config
    shape = config.encoder
    assert isinstance(shape, TransformerConfig)
    assert (shape.kind, shape.width, shape.context, shape.layers) == ("transformer", 16, 10, (2,))
    assert (config.pooling, config.training["recipe"]["method"]) == ("mean", "masked")
    capsys.readouterr()
    assert run("export", tmp_path / "run", "-o", tmp_path / "zoo", "--layers", "2;3") == 2
    assert "expected --layers as layers' numbers, for instance 4,5,6, got '2;3'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["manifest", "{tmp}/none", "-o", "{tmp}/m.csv"], "does not exist"),
        (["match", "{tmp}/a.csv", "{tmp}/b.csv", "-o", "{tmp}/sets"], "a.csv"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--limit", "music"], "KIND=SHARE"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--hours", "99"], "99.0000 hours"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--limit", "musik=0.5"], "kinds tones, got 'musik'"),
        (
            ["match", "{tones}", "{tones}", "-o", "{folder}", "--names", "manifest", "b"],
            "is one of the two collections",
        ),
        (["train", "{tones}", "-o", "{tmp}/run", "--crop-frames", "95"], "multiple"),
        (["train", "{tones}", "-o", "{tmp}/run", "--device", "abacus"], "abacus"),
        (
            ["train", "{tones}", "-o", "{tmp}/run", "--masks", "8"],
            "expected --masks together with --method masked only",
        ),
        (["train", "{tones}", "-o", "{tmp}/run", "--layers", "8"], "--layers together with --encoder transformer only"),
        (
            ["train", "{tones}", "-o", "{tmp}/run", "--method", "masked", "--channels", "8"],
            "--encoder convolutional only",
        ),
        (["train", "{tones}", "-o", "{tmp}/run", "--method", "masked", "--mixup-ratio", "0"], "--method byol only"),
        (
            ["train", "{tones}", "-o", "{tmp}/run", "--method", "masked", "--span", "7"],
            "whole spans of 7 frame features",
        ),
        (["train", "{tones}", "-o", "{tmp}/run", "--method", "guess"], "'guess' is not one of"),
        (["train", "{tones}", "-o", "{tmp}/run", "--encoder", "transformer", "--width", "63"], "got 63"),
        (["train", "{tones}", "-o", "{tmp}/run", "--threads", "-1"], "x>=1"),
        (["train", "{tones}", "-o", "{tmp}/run", "--fader-gain", "-1"], "got -1"),
        (["train", "{tones}", "-o", "{tmp}/run", "--minutes", "-1"], "x>=0"),
        (["train", "{tones}", "-o", "{tmp}/run", "--minutes", "nan"], "expected a finite number, got nan"),
        (["train", "{tones}", "-o", "{tmp}/run", "--save-every", "nan"], "expected a finite number, got nan"),
        (["export", "{tmp}", "-o", "{tmp}/zoo"], "state.safetensors"),
        (["plot", "{tmp}", "-o", "{tmp}/x.png"], "log.csv"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, tone_manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"tmp": tmp_path, "tones": tone_manifest, "folder": tone_manifest.parent}
    assert run(*[text.format(**places) for text in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("encoding", "name", "printed"),
    [("utf-8", b"\xff", b"\xff"), ("cp1252", "日é".encode(), b"\\u65e5\xe9")],
)
def test_a_name_in_any_encoding_is_printed(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, name: bytes, printed: bytes
) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr("sys.stdout", shown)
    assert run("manifest", tones, "-o", os.fsdecode(os.fsencode(tmp_path) + b"/" + name + b".csv")) == 0
    shown.flush()
    assert printed + b".csv" in shown.buffer.getvalue()


@pytest.mark.parametrize("group", [[], ["corpora"]])
def test_help_is_shown_without_a_command(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*group) == 0
    output = capsys.readouterr()
    assert not output.err
    assert output.out.startswith(" ".join(["Usage: python -m byola_hear.pretraining", *group]))
    # No sentence is cut off.
    assert "..." not in output.out.replace("[ARGS]...", "")
