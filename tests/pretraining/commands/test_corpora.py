from __future__ import annotations

from pathlib import Path

import pytest

from tests.pretraining.corpora.known import KNOWN, run_corpora
from tests.pretraining.corpora.samples import Mirror

pytestmark = pytest.mark.usefixtures("known")


def test_list_prints_every_corpus() -> None:
    code, output = run_corpora("list")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()[1:]] == [corpus.name for corpus in KNOWN]
    assert "https://example.org/known" in output
    assert len(run_corpora("list", "--set", "speech")[1].splitlines()) == 4


def test_fetch_skips_missing_packages(mirror: Mirror, tmp_path: Path) -> None:
    arguments = ("-o", tmp_path, "--from", "mirror", "--mirror", mirror.address)
    code, output = run_corpora("fetch", "game-data", "gone-data", *arguments)
    assert code == 0
    assert "skipped: gone-data" in output
    assert [path.name for path in tmp_path.glob("*.deb")] == ["game-data_2.0-3_all.deb"]
    code, output = run_corpora("fetch", "gone-data", *arguments)
    assert code == 1
    assert "no package could be fetched" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "game-dat", "--set", "nonspeech"), "'game-dat'; similar: game-data"),
        (("build", "game-data", "--set", "speech"), "in the speech set, got 'game-data'"),
        (("build", "nowhere.tar", "--set", "speech"), "nowhere.tar does not exist"),
        (("build", "known", "--set", "speech"), "expected the path of its tar or folder"),
        (("build", "game-data", "--set", "nonspeech", "--music-share", "2"), "from 0 to 1, got 2"),
        (("build", "game-data", "--set", "nonspeech", "--jobs", "0"), "1 or more jobs, got 0"),
        (("build", "game-data"), "--set"),
        (("fetch", "known"), "is not a package"),
        (("fetch", "unknown"), "got 'unknown'"),
    ],
)
def test_wrong_usage_says_what_was_expected(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    code, output = run_corpora(*arguments, "-o", tmp_path / "out")
    assert code == 2
    assert said in output
    assert not (tmp_path / "out").exists()
