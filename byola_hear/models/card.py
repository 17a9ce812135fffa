"""Model cards: the facts about a network, and the Markdown page made from them.

There is one writer for every card: the README of a repository on the Hugging Face Hub
(:func:`byola_hear.models.hub_files.model_card`) and the cards in ``weights`` (``python -m benchmark cards``), which add
the training in detail and the results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byola_hear.models.config import ModelConfig, training_hours
from byola_hear.utils.markdown import markdown_table, table_cell

#: Columns of the table of training audio, and the keys of ``training["sources"]`` that they show.
SOURCES = {"source": "source", "kind": "kind", "licence": "licence", "clips": "rows", "hours": "hours"}


def card_text(title: str, summary: str, facts: Mapping[str, str], sections: Mapping[str, str]) -> str:
    """Write a card.

    Args:
        title: the heading.
        summary: what the model is, in a sentence or two.
        facts: values by name, for the table at the top.
        sections: Markdown by heading; empty ones are left out.

    Returns:
        Markdown.
    """
    table = markdown_table(["", ""], [[name, table_cell(value)] for name, value in facts.items()], left=2)
    parts = [f"# {title}", summary, table.rstrip()]
    for heading, text in sections.items():
        if text:
            parts += [f"## {heading}", text.strip()]
    return "\n\n".join(parts) + "\n"


def model_facts(config: ModelConfig, parameters: int, sha256: str) -> dict[str, str]:
    """The facts that every card states.

    Args:
        config: the model's configuration.
        parameters: number of parameters.
        sha256: SHA-256 of the checkpoint, hexadecimal.

    Returns:
        Values by name.
    """
    hours = training_hours(config.training)
    began = config.training.get("began_with")
    return {
        "version": config.version,
        "licence of the weights": config.licence,
        "audio": f"{config.frontend.sample_rate} Hz, mono",
        "embedding": f"{config.encoder.feature_size} dimensions for a clip, or every {config.frame_ms:g} ms",
        "window of a timestamp embedding": f"{config.frame_ms * config.window_frames:g} ms",
        "parameters": f"{parameters / 1e6:.2f} million",
        **({} if hours is None else {"trained on": f"{hours:.1f} hours"}),
        **({"began with the weights of": str(began["model"])} if isinstance(began, dict) and "model" in began else {}),
        "SHA-256 of the checkpoint": f"`{sha256}`",
    }


def sources_table(training: Mapping[str, Any]) -> str:
    """The training audio by source, kind and licence as a Markdown table; empty if the checkpoint does not say."""
    sources = training.get("sources")
    if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
        return ""
    columns = {title: key for title, key in SOURCES.items() if sources and all(key in source for source in sources)}
    if not columns:
        return ""
    rows = [[_source_cell(source[key]) for key in columns.values()] for source in sources]
    return markdown_table(list(columns), rows, left=sum(title not in ("clips", "hours") for title in columns))


def _source_cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else table_cell(value or "–")
