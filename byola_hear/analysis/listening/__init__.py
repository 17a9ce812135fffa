"""What pages to listen to share: sounds inside a page, a player, spectrograms, and labels given by keys."""

from __future__ import annotations

_HERE = "byola_hear.analysis.listening"
#: Scripts and styles for :func:`byola_hear.utils.html_file.html_file`, before those of the page itself.
SCRIPTS = tuple(
    f"{_HERE}/{name}.js" for name in ("basics", "player", "spectrogram", "label_file", "answers", "labelling")
)
STYLES = (f"{_HERE}/listening.css",)
