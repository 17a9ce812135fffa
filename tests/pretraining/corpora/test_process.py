from __future__ import annotations

from pathlib import PurePosixPath

from hypothesis import example, given
from hypothesis import strategies as st

from byola_hear.pretraining.corpora.process import FileNames


@given(names=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=20))
@example(names=["/", "_", "//"])
def test_every_sound_gets_another_path_inside_the_folder(names: list[str]) -> None:
    given_names = FileNames()
    paths = [PurePosixPath(given_names.path_for("a-game", name)) for name in names]
    assert len({str(path).lower() for path in paths}) == len(names)
    for path in paths:
        assert path.parts[0] == "a-game" and len(path.parts) > 1
        assert not path.is_absolute() and ".." not in path.parts
        assert "\\" not in str(path) and ":" not in str(path) and "\0" not in str(path)


def test_long_names_are_cut_and_stay_different() -> None:
    names = FileNames()
    paths = [PurePosixPath(names.path_for("a-game", f"x/{'ö' * 130}{end}.wav", 30.0)) for end in "ab"]
    assert paths[0] != paths[1]
    # A file has a longer name while it is written.
    assert all(len(path.name.encode()) <= 230 for path in paths)
