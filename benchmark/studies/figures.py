"""What the studies' figures share: colours and an empty figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The networks' colours in every figure, and the colours of other models in order.
COLOURS = {
    **{"speech": "#c44e52", "nonspeech": "#4c72b0", "both": "#8172b2", "untrained": "#8c8c8c"},
    # The same domains, lighter.
    **{"transformer-speech": "#e7a3a5", "transformer-nonspeech": "#9fb6d8", "transformer-both": "#bdb5d8"},
    "untrained_transformer": "#c4c4c4",
}
OTHER_COLOURS = ("#dd8452", "#55a868", "#937860", "#da8bc3", "#64b5cd", "#ccb974", "#2f4b7c", "#a05195", "#003f5c")


def colours(names: Sequence[str]) -> dict[str, str]:
    """Choose a colour for each model; the networks have the same in every figure.

    Example:
        >>> colours(["speech", "mfcc"])
        {'speech': '#c44e52', 'mfcc': '#dd8452'}
    """
    others = [name for name in names if name not in COLOURS]
    chosen = {name: OTHER_COLOURS[index % len(OTHER_COLOURS)] for index, name in enumerate(others)}
    return {name: COLOURS.get(name) or chosen[name] for name in names}


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure, sizes in inches; needs no display.

    Raises:
        ModuleNotFoundError: if matplotlib is not installed; the message says how to install it.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ModuleNotFoundError(
            "figures need matplotlib: pip install 'byola-hear[benchmark]'", name="matplotlib"
        ) from None
    return Figure(figsize=(width, height), layout="constrained")
