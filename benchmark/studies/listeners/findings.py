"""What the study with listeners found, in sentences made from its numbers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchmark.studies.findings import listed
from benchmark.studies.listeners.figures import SET_TITLES, values_of
from benchmark.studies.listeners.measure import CLIP, DESCRIPTORS_ROW, LEARNT

#: The networks that the findings name first, the other networks of the package, and the reference of their differences.
NETWORKS, UNTRAINED = ("both", "speech", "nonspeech"), "untrained"
OTHERS = ("transformer-both", "transformer-speech", "transformer-nonspeech", "distilled", "distilled-small")
#: Layers in order.
LAYERS = ("block 1", "block 2", "fc1", "fc2", "frame", CLIP)


def sentences(numbers: pd.DataFrame, published: dict[str, float]) -> list[str]:
    """What was found, also what is unfavourable. No difference is named whose interval includes 0."""
    found = [
        _against_untrained(numbers, NETWORKS),
        _against_untrained(numbers, OTHERS),
        _best(numbers, published),
        _beyond(numbers),
        _layers(numbers),
        _learnt(numbers),
    ]
    return [each for each in found if each]


def _differences(numbers: pd.DataFrame, name: str, measure: str, reference: str, representation: str) -> pd.DataFrame:
    chosen = numbers[(numbers["set"] == name) & (numbers["measure"] == measure) & (numbers["reference"] == reference)]
    return chosen[chosen["representation"] == representation].set_index("model")


def _against_untrained(numbers: pd.DataFrame, networks: Sequence[str]) -> str:
    """Each set: values of some networks and of the untrained one, and which differ from it."""
    texts = []
    for name, title in SET_TITLES.items():
        values = values_of(numbers, name, "anchor")["value"]
        here = [model for model in networks if model in values.index]
        if not here or UNTRAINED not in values.index:
            continue
        apart = _differences(numbers, name, "anchor", f"{UNTRAINED} {CLIP}", CLIP)
        above = [model for model in here if model in apart.index and apart.loc[model, "low"] > 0]
        below = [model for model in here if model in apart.index and apart.loc[model, "high"] < 0]
        listed_values = listed([f"`{model}` {values[model]:.3f}" for model in here])
        text = f"{title}: {listed_values}, `{UNTRAINED}` {values[UNTRAINED]:.3f}"
        words = [f"{listed([f'`{model}`' for model in above])} above it"] if above else []
        words += [f"{listed([f'`{model}`' for model in below])} below it"] if below else []
        if apart["low"].notna().any():
            text += f" ({', '.join(words)})" if words else " (no interval of a difference excludes 0)"
        texts.append(text)
    return f"Correlation with listeners by anchor, over {'; '.join(texts)}." if texts else ""


def _best(numbers: pd.DataFrame, published: dict[str, float]) -> str:
    first = next(iter(SET_TITLES))
    values = values_of(numbers, first, "anchor")["value"]
    networks = values[values.index.isin((*NETWORKS, *OTHERS))]
    if networks.empty:
        return ""
    best = str(networks.idxmax())
    ahead = [f"{name} ({value:.3f})" for name, value in published.items() if round(value, 3) > round(networks[best], 3)]
    top = str(values.idxmax())
    text = f"Over the {SET_TITLES[first]}, `{best}` ({networks[best]:.3f}) has the highest value of our networks; "
    text += f"published values above it are those of {listed(ahead)}" if ahead else "no published value is above it"
    text += f"; the highest value measured here is that of `{top}` ({values[top]:.3f})" if top != best else ""
    apart = _differences(numbers, first, "anchor", f"mfcc {CLIP}", CLIP)
    if best in apart.index:
        row = apart.loc[best]
        if row["low"] > 0:
            text += f". `{best}` is {row['value']:.3f} above our `mfcc` statistics"
        elif row["high"] < 0:
            text += f". `{best}` is {-row['value']:.3f} below our `mfcc` statistics"
        else:
            text += f". The difference of `{best}` and our `mfcc` statistics is within chance"
    return text + "."


def _beyond(numbers: pd.DataFrame) -> str:
    """What is left of the correlation when the descriptors are held constant, and whether it is smaller everywhere."""
    texts, smaller = [], True
    for name, title in SET_TITLES.items():
        plain, partial_ = (values_of(numbers, name, measure) for measure in ("triangle", "partial"))
        here = [model for model in NETWORKS if model in partial_.index]
        least = partial_["low"].fillna(partial_["value"])
        above = [model for model in here if least[model] > 0]
        if above:
            shown = [
                f"`{model}` {plain.loc[model, 'value']:.2f} to {partial_.loc[model, 'value']:.2f}" for model in above
            ]
            texts.append(f"{title}: {listed(shown)}")
            smaller &= all(partial_.loc[model, "value"] < plain.loc[model, "value"] for model in above)
        elif here:
            texts.append(f"{title}: nothing of any network is left above 0")
    if not texts:
        return ""
    start = (
        "With duration, level, pitch and spectral centroid held constant, the correlation over pairs is still above "
    )
    in_part = any("nothing" in text for text in texts)
    start += "0 in part: " if in_part else "0, but smaller: " if smaller else "0: "
    alone = [
        f"{values_of(numbers, name, 'anchor').loc[DESCRIPTORS_ROW, 'value']:.2f}"
        for name in SET_TITLES
        if DESCRIPTORS_ROW in values_of(numbers, name, "anchor").index
    ]
    end = f" The four descriptors alone reach {listed(alone)} by anchor." if alone else ""
    return f"{start}{'; '.join(texts)}.{end}"


def _layers(numbers: pd.DataFrame) -> str:
    """Layers that are nearer to listeners than the clip embedding of the same network, or further."""
    texts = []
    for name, title in SET_TITLES.items():
        above, below = [], []
        for model in (*NETWORKS, UNTRAINED):
            for layer in LAYERS[:-1]:
                apart = _differences(numbers, name, "anchor", f"{model} {CLIP}", layer)
                if model in apart.index and apart.loc[model, "low"] > 0:
                    above.append((f"{layer} of `{model}`", float(apart.loc[model, "value"])))
                elif model in apart.index and apart.loc[model, "high"] < 0:
                    below.append((f"{layer} of `{model}`", float(apart.loc[model, "value"])))
        words = []
        if above:
            best = max(above, key=lambda each: each[1])
            words.append(f"{len(above)} above (most {best[0]}, by {best[1]:.3f})")
        if below:
            worst = min(below, key=lambda each: each[1])
            words.append(f"{len(below)} below (most {worst[0]}, by {-worst[1]:.3f})")
        if words:
            texts.append(f"{title}: {' and '.join(words)}")
    if not texts:
        return ""
    return f"Layers that differ from the clip embedding of their network, by anchor: {'; '.join(texts)}."


def _learnt(numbers: pd.DataFrame) -> str:
    texts = []
    for name, title in SET_TITLES.items():
        learnt = values_of(numbers, name, "anchor", LEARNT)["value"]
        apart = pd.concat([_own(numbers, name, model) for model in learnt.index]) if len(learnt) else pd.DataFrame()
        if apart.empty or apart["low"].isna().all():
            continue
        up, down = apart[apart["low"] > 0], apart[apart["high"] < 0]
        text = f"{title}: {len(up)} of {len(apart)} models gain"
        text += f" (most `{up['value'].idxmax()}`, by {up['value'].max():.3f})" if len(up) else ""
        if len(down):
            verb = "loses" if len(down) == 1 else "lose"
            text += f" and {len(down)} {verb} (most `{down['value'].idxmin()}`, by {-down['value'].min():.3f})"
        texts.append(text)
    if not texts:
        return ""
    return (
        f"A weight for each dimension, fitted to other spaces, changes the correlation by anchor: {'; '.join(texts)}."
    )


def _own(numbers: pd.DataFrame, name: str, model: str) -> pd.DataFrame:
    """The difference of a model's learnt metric to its own cosine."""
    return _differences(numbers, name, "anchor", f"{model} {CLIP}", LEARNT).loc[lambda rows: rows.index == model]
