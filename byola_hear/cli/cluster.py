"""Embedding here or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from byola_hear.cli.errors import Failure
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Event
from byola_hear.models.model import ByolaModel
from byola_hear.utils.text import one_line


def check_cluster(address: str | None, others: Mapping[str, object]) -> None:
    """Refuse options, by name, that do not apply to a Ray cluster."""
    for option, value in others.items():
        if address is not None and value is not None:
            raise click.UsageError(f"{option} does not apply to --ray, whose workers use what their nodes have")


def extracted(
    clips: list[Clip],
    model: ByolaModel,
    request: Request,
    workers: int | None = None,
    batch_seconds: float | None = None,
    address: str | None = None,
) -> Iterator[Event]:
    """Embed clips here, or on the Ray cluster at an address."""
    if address is None:
        yield from extract(clips, model, request, workers, batch_seconds)
        return
    from byola_hear.ray import ClusterError, extract_on_ray

    try:
        yield from extract_on_ray(clips, model, request, address=address, workers=workers)
    except (ValueError, ModuleNotFoundError) as error:
        raise click.UsageError(one_line(error)) from error
    except ClusterError as error:
        raise Failure(one_line(error)) from error
