"""What HEAR_TOOLS_FAST leaves out changes no score."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.hear_tools import hook


def event(label: str, start: float) -> dict[str, Any]:
    return {"label": label, "start": start, "end": start + 300.0}


TRUTH = {"x.wav": [event("a", 1000), event("b", 2000), event("a", 4000)], "y.wav": [event("b", 500)], "z.wav": []}
FOUND = {"y.wav": [event("b", 650)], "z.wav": [event("a", 0)], "x.wav": [event("a", 1100), event("a", 4300)]}


def test_events_found_at_once_give_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    score = pytest.importorskip("heareval.score", reason="make hear")
    container = score.SoundEventScore.sed_eval_event_container
    looked_through = []
    kind = score.MetaDataContainer
    look_through = kind.filter
    monkeypatch.setattr(kind, "filter", lambda self, *a, **k: looked_through.append(k) or look_through(self, *a, **k))

    def scores() -> list[Any]:
        looked_through.clear()
        names = ("event_onset_200ms_fms", "event_onset_offset_50ms_20perc_fms", "segment_1s_er")
        return [score.available_scores[name](label_to_idx={"a": 0, "b": 1})(FOUND, TRUTH) for name in names]

    monkeypatch.setattr(score.SoundEventScore, "sed_eval_event_container", staticmethod(container))
    monkeypatch.delenv("HEAR_TOOLS_FAST", raising=False)
    hook.mend_score(score)
    plain = scores()
    assert any("filename" in each for each in looked_through)
    monkeypatch.setenv("HEAR_TOOLS_FAST", "1")
    hook.mend_score(score)
    assert repr(scores()) == repr(plain)
    assert not any(each.get("filename") for each in looked_through)


def test_no_bar_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class FitLoop:
        pass

    class Base:
        def __init__(self, **options: Any) -> None:
            self.options = options
            self.fit_loop = FitLoop()

    trainer = hook.trainer_for_heareval(Base)
    monkeypatch.delenv("HEAR_TOOLS_FAST", raising=False)
    assert "enable_progress_bar" not in trainer().options
    monkeypatch.setenv("HEAR_TOOLS_FAST", "1")
    assert trainer().options["enable_progress_bar"] is False
    assert trainer(enable_progress_bar=True).options["enable_progress_bar"] is True
