from __future__ import annotations

from benchmark.reporting.run_differences import difference
from byola_hear.pretraining.training.recipe import Recipe


def test_differences_name_every_setting_but_those_that_follow() -> None:
    base = Recipe().to_dict()
    other = Recipe(learning_rate=1e-3, steps=5, warm_up_steps=1).to_dict()
    other["views"]["mixup_ratio"] = 0.4
    assert difference(other, base) == "learning rate 0.001, mixup ratio 0.4"
    assert difference(base, base) == "–"
