from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import packages as mini_sources
from benchmark.datasets.packages import PACKAGES, decode, fetch_packages, find_download, package, package_files
from benchmark.tasks.registry import MINI, task_of
from byola_hear.pretraining.corpora.catalogue.lookup import catalogue
from byola_hear.pretraining.corpora.packages.fetch import FetchError
from tests.benchmark.tasks.mini.mini_packages import sdist_of, sound
from tests.pretraining.corpora.samples import deb_of

MANIFESTS = Path(__file__).parents[3] / "weights" / "manifests"

#: Identifiers of the SPDX list that the packages use.
LICENCES = {"GPL-2.0-or-later", "GPL-3.0-or-later", "LGPL-2.1-only", "BSD-2-Clause", "CC-BY-SA-4.0"}


def test_no_package_is_among_those_that_the_networks_were_pretrained_on() -> None:
    pretraining = {corpus.name for corpus in catalogue()}
    for manifest in sorted(MANIFESTS.glob("*.csv.gz")):
        with gzip.open(manifest, "rt", encoding="utf-8", newline="") as file:
            pretraining |= {row["source"].partition("=")[0] for row in csv.DictReader(file)}
    assert len(pretraining) > 50
    assert not {each.name for each in PACKAGES} & pretraining


def test_packages_say_which_tasks_need_them_and_the_tasks_the_same() -> None:
    needed = {(each.name, task) for each in PACKAGES for task in each.tasks}
    assert needed == {(source, name) for name in MINI for source in task_of(name).sources}
    assert sum(each.megabytes for each in PACKAGES) < 150
    assert {each.licence for each in PACKAGES} <= LICENCES


def test_the_suite_has_what_a_cross_domain_table_needs() -> None:
    tasks = [task_of(name) for name in MINI]
    scenes = [task.domain for task in tasks if task.embedding_type == "scene"]
    assert scenes.count("speech") >= 2 and scenes.count("nonspeech") >= 2 and scenes.count("cross") >= 1
    assert any(task.embedding_type == "event" for task in tasks)
    assert all(task.name.startswith("mini_") for task in tasks)


def test_what_is_there_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[str] = []
    monkeypatch.setattr(mini_sources, "fetch_deb", lambda name, folder, origin: came.append(name))
    monkeypatch.setattr(mini_sources, "pip_download", lambda name, *_: came.append(name))
    (tmp_path / "qabcs-data_1_all.deb").write_bytes(b"")
    fetch_packages(tmp_path, ["qabcs-data", "foxdot", "festvox-czech-ph"])
    assert came == ["foxdot", "festvox-czech-ph"]
    (tmp_path / "foxdot-1.tar.gz").write_bytes(b"")
    assert find_download("foxdot", tmp_path) == tmp_path / "foxdot-1.tar.gz"
    fetch_packages(tmp_path, ["foxdot"])
    assert came == ["foxdot", "festvox-czech-ph"]


@pytest.mark.parametrize("name", ["qabcs-data", "foxdot"])
def test_a_package_that_is_gone_is_named_with_its_tasks(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*arguments: object) -> None:
        raise FetchError("no such package")

    monkeypatch.setattr(mini_sources, "fetch_deb", gone)
    monkeypatch.setattr(mini_sources, "pip_download", gone)
    message = re.escape(name) + ".*" + ".*".join(package(name).tasks) + ".*no such package"
    with pytest.raises(FileNotFoundError, match=message):
        fetch_packages(tmp_path, [name])
    with pytest.raises(FileNotFoundError, match=name):
        list(package_files(name, tmp_path, lambda path: True))


def test_pips_error_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(FileNotFoundError, match="foxdot.*mini_percussion.*pip: .*No matching distribution"):
        fetch_packages(tmp_path, ["foxdot"])
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_package_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="qabcs-data.*got 'nothing'"):
        package("nothing")


def test_files_come_in_order_and_only_those_wanted(tmp_path: Path) -> None:
    files = {"./usr/b.wav": b"b", "./usr/a.wav": b"a", "./usr/c.txt": b"c"}
    (tmp_path / "qabcs-data_1_all.deb").write_bytes(deb_of("qabcs-data", files))
    (tmp_path / "foxdot-1.tar.gz").write_bytes(sdist_of({"foxdot-1/a.wav": b"a", "foxdot-1/b.txt": b"b"}))

    def wanted(path: str) -> bool:
        return path.endswith(".wav")

    assert list(package_files("qabcs-data", tmp_path, wanted)) == [("usr/a.wav", b"a"), ("usr/b.wav", b"b")]
    assert list(package_files("foxdot", tmp_path, wanted)) == [("a.wav", b"a")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foxdot-1.tar.gz", "qabcs-data_1_all.deb"]


def test_a_name_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "foxdot-1.tar.gz").write_bytes(sdist_of({"foxdot-1/../../b.wav": b"b", "foxdot-1/a.wav": b"a"}))
    with pytest.raises(ValueError, match="refused the member"):
        list(package_files("foxdot", tmp_path, lambda path: True))


def test_a_broken_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "foxdot-1.tar.gz").write_bytes(sdist_of({"foxdot-1/a.wav": b"a" * 9999})[:80])
    with pytest.raises(ValueError, match="foxdot-1.tar.gz"):
        list(package_files("foxdot", tmp_path, lambda path: True))


def test_sounds_come_at_the_tasks_rate() -> None:
    assert len(decode("a.wav", sound(0, 0.5, rate=8000))) == 8000
    raw = np.array([0, 16384, -16384, 0], "<i2").tobytes() * 1000
    assert len(decode("a.raw", raw)) == 8000
    with pytest.raises(ValueError, match=r"a\.wav: could not be decoded"):
        decode("a.wav", b"nothing")
