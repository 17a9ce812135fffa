"""Score every model on every measurement; the cache keeps embeddings and predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.models.extractors import Extractor
from benchmark.probes import ridge
from benchmark.studies.regression import nested
from benchmark.studies.regression.measurement import Examples, Measurement
from benchmark.studies.regression.nested import Predictions, nested_predictions
from benchmark.studies.regression.scores import Score, guessing, r2_difference, scores_of
from benchmark.studies.study_setup import embedded, key_of, remembered

#: Name of the reference row: guessing the mean.
MEAN_ROW = "mean of the training clips"

#: Two networks whose R² is compared on the same draws, and the name of the difference's score.
PAIR, AHEAD = ("speech", "nonspeech"), "r2_ahead"


def predictions_of(
    extractor: Extractor, examples: Examples, cache: Path, seed: int = 0, bar: tqdm | None = None
) -> Predictions:
    """Predict a measurement from a model's embeddings, or read the predictions from the cache.

    Args:
        extractor: the model.
        examples: the clips and their targets.
        cache: folder for embeddings and predictions.
        seed: seed of the folds.
        bar: progress bar that counts seconds of audio.

    Returns:
        The predictions.
    """
    key = key_of(
        [extractor.identity, extractor.sample_rate, examples.clips.sha256, seed, examples.group.tolist()],
        examples.rows,
        examples.target,
        versions=[nested.MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION],
    )

    def compute() -> dict[str, list[float]]:
        embeddings = embedded(extractor, examples.clips, examples.rows, cache, bar)
        made = nested_predictions(embeddings, examples.target, examples.group, seed=seed)
        return {"predicted": made.predicted.tolist(), "mean": made.mean.tolist(), "strengths": list(made.strengths)}

    before = bar.n if bar is not None else 0.0
    kept = remembered(cache, "regression", key, compute)
    if bar is not None:
        bar.update(before + seconds_of(examples) - bar.n)
    return Predictions(np.array(kept["predicted"]), np.array(kept["mean"]), tuple(kept["strengths"]))


def seconds_of(examples: Examples) -> float:
    """Seconds of audio of a measurement's clips."""
    return float(examples.clips.lengths[examples.rows].sum()) / examples.clips.sample_rate


def rows_for(
    model: str, scores: dict[str, Score], measurement: Measurement, examples: Examples, seeds: int
) -> list[dict[str, object]]:
    """The lines of the result for a model on a measurement, one for each score."""
    return [
        {
            "model": model,
            "measurement": measurement.name,
            "score": name,
            "value": score.value,
            "low": score.low,
            "high": score.high,
            "unit": measurement.unit if name == "mae" else "",
            "clips": len(examples.target),
            "groups": len(np.unique(examples.group)),
            "seeds": seeds,
        }
        for name, score in scores.items()
    ]


def table_of(
    models: dict[str, list[Extractor]],
    measured: list[tuple[Measurement, Examples]],
    cache: Path,
    seed: int = 0,
    bar: tqdm | None = None,
) -> pd.DataFrame:
    """Score every model and the guess of the mean on every measurement.

    Args:
        models: extractors by row; scores are averaged over several seeds.
        measured: measurements with their clips.
        cache: folder for embeddings and predictions.
        seed: seed of folds and bootstrap.
        bar: progress bar that counts seconds of audio.

    Returns:
        Columns model, measurement, score, value, low, high (95 %), unit, clips, groups, seeds. If both networks of
        ``PAIR`` are present, the first has a score ``AHEAD``: the difference of its R² and the second's.
    """
    lines: list[dict[str, object]] = []
    for measurement, examples in measured:
        drawn = examples.group if examples.drawn is None else examples.drawn
        made: dict[str, list[Predictions]] = {}
        for model, extractors in models.items():
            if bar is not None:
                bar.set_postfix_str(f"{measurement.name}, {model}")
            made[model] = [predictions_of(extractor, examples, cache, seed, bar) for extractor in extractors]
        guess = guessing(next(iter(made.values()))[0])
        for model, several in {**made, MEAN_ROW: [guess]}.items():
            scores = scores_of(several, examples.target, drawn, measurement.unit == "semitones", seed)
            if model == PAIR[0] and PAIR[1] in made:
                scores[AHEAD] = r2_difference(several, made[PAIR[1]], examples.target, drawn, seed)
            lines += rows_for(model, scores, measurement, examples, len(several))
    return pd.DataFrame(lines)
