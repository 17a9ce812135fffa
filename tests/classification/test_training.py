"""What learning gives: scores of held-out groups only, thresholds, notes, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from byola_hear.classification.fitting import STRENGTHS, Regression
from byola_hear.classification.report import summary
from byola_hear.classification.training import learn
from tests.classification.made import NETWORK, examples


def network(size: int = 20) -> Any:
    return type(NETWORK)("both", "both 1.5", "ab" * 32, size)


def test_a_classifier_tells_its_classes_and_says_how_well() -> None:
    trained = learn(examples(), network())
    classifier = trained.classifier
    other = examples(seed=1)
    found = classifier.scores(other.embeddings) >= classifier.thresholds("best-f1")
    assert (found == other.truth).mean() > 0.9
    assert (classifier.method, classifier.window, classifier.hop, trained.n_folds) == ("logistic", 1.0, 0.5, 5)
    assert all(values is not None and values.f1 > 0.8 for values in trained.measures)
    assert classifier.about["examples_of"] == {"class 0": 16, "class 1": 8}
    assert learn(examples(), network(), hop=0.1).classifier.hop == 0.1


def test_the_same_examples_give_the_same_classifier() -> None:
    one, other = (learn(examples(), network(), seed=3).classifier for _ in range(2))
    assert np.array_equal(one.weight, other.weight) and one.operating == other.operating


def test_held_out_scores_never_saw_their_group() -> None:
    # Groups whose windows are all but the same, with labels by chance: only who saw a group can know it.
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(30), 5)
    embeddings = (rng.normal(0, 1, (30, 20))[group] + rng.normal(0, 0.01, (150, 20))).astype(np.float32)
    truth = (rng.random(30) < 0.5)[group][:, None]
    made = examples(
        embeddings=embeddings,
        truth=truth,
        group=group,
        classes=("a",),
        file=group.astype(str).astype(object),
        start=np.zeros(150),
        end=np.ones(150),
    )
    (values,) = learn(made, network()).measures
    assert values is not None and values.average_precision < truth.mean() + 0.25
    split = examples(**{**vars(made), "group": np.arange(150)})
    (values,) = learn(split, network()).measures
    assert values is not None and values.average_precision > 0.9


def test_the_classifier_is_fitted_as_those_that_were_checked() -> None:
    # Noise for which the weakest regularisation is best, also with the folds that scikit-learn 1.6 draws.
    made = examples(n_groups=6, size=60, seed=4)
    embeddings = made.embeddings + np.random.default_rng(4).normal(size=made.embeddings.shape)
    made = examples(**{**vars(made), "embeddings": embeddings.astype(np.float32)})
    trained = learn(made, network(60))
    # With weak regularisation, a fit that begins at nothing ends elsewhere.
    assert trained.strength == max(STRENGTHS)
    regression = Regression(made.embeddings, made.truth)
    assert np.array_equal(trained.classifier.weight, regression.fit(STRENGTHS)[-1].weight)
    assert not np.allclose(trained.classifier.weight, regression.fit([trained.strength])[0].weight, rtol=0.01)


def test_few_examples_take_the_cosine_and_say_so() -> None:
    made = examples(n_groups=2, per_group=3)
    trained = learn(made, network())
    assert trained.classifier.method == "cosine" and trained.strength is None and trained.n_folds == 0
    assert trained.notes[0].startswith("with fewer than 3 examples of each class, scores are cosines to their means")
    other = examples(seed=1)
    scores = trained.classifier.scores(other.embeddings)
    labelled = other.truth.any(1)
    assert (scores[labelled].argmax(1) == other.truth[labelled].argmax(1)).mean() > 0.9
    one_shot = learn(examples(n_groups=1, per_group=3), network()).classifier
    assert (one_shot.scores(other.embeddings)[labelled].argmax(1) == other.truth[labelled].argmax(1)).mean() > 0.8
    assert learn(examples(), network(), method="cosine").classifier.method == "cosine"


def test_a_class_of_one_recording_is_not_checked_and_that_is_said() -> None:
    made = examples()
    group = np.where(made.truth[:, 1], 99, made.group)
    trained = learn(examples(group=group), network())
    assert trained.measures[1] is None and trained.measures[0] is not None
    assert trained.notes == (
        "not checked, as it takes labels from two recordings or groups: class 1; the threshold is 0.5",
    )
    assert trained.classifier.operating[1].best_f1 == 0.5
    alone = learn(examples(group=np.zeros(32, int)), network())
    assert alone.measures == (None, None) and alone.n_folds == 0
    assert alone.classifier.scores(made.embeddings).shape == (32, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": np.ones((32, 1), bool), "classes": ("owl",)}, "something to tell 'owl' from: another class, or"),
        ({"embeddings": np.ones((32, 20), np.float32)}, "all 32 examples have the same embedding.*silent"),
        ({"truth": np.arange(64).reshape(32, 2) == 0}, "expected examples of each class, got none of class 1"),
        (
            {"truth": np.stack([np.arange(32) % 2 == 0, np.arange(32) == 1], 1)},
            r"at least 3 examples of each class, got fewer of class 1 \(1\); add examples, leave the class out, or",
        ),
    ],
)
def test_what_can_not_be_learned_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learn(examples(**changes), network())


def test_the_summary_says_what_was_taken_for_what() -> None:
    made = examples()
    # Two labels that are wrong.
    truth = made.truth.copy()
    truth[0], truth[5] = [False, True], [True, False]
    trained = learn(examples(truth=truth), network())
    names, counts = summary.confusion(trained)
    assert names == ["class 0", "class 1", "(none)"] and counts.sum() == 32
    assert counts[1, 0] >= 1
    mistakes = summary.mistakes(trained)
    worst = {(each.file, each.start) for each in mistakes[:4]}
    assert {("0.wav", 0.0), ("1.wav", 5.0)} <= worst
    lines = summary.lines(trained, 0.5)
    assert [(line.label, line.recordings) for line in lines] == [("class 0", 8), ("class 1", 7)]
    assert all(line.wished is not None and line.wished <= 1 for line in lines)


def test_what_was_taken_for_what_without_the_classes_that_were_not_checked() -> None:
    made = examples(n_classes=3)
    # Two classes of one recording each, in different folds: every fold lacks the scores of one of them.
    group = np.select([made.truth[:, 1], made.truth[:, 2]], [98, 99], made.group)
    trained = learn(examples(n_classes=3, group=group), network())
    assert [values is None for values in trained.measures] == [False, True, True]
    _, counts = summary.confusion(trained)
    assert counts.sum(1).tolist() == [8, 0, 0, 8]
