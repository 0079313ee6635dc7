"""Columns that expressions read must exist in the data file: known as soon as its header is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.diagnostics import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.model import Job, Located
    from .axes import Axes
    from .problems import Problems


def check_columns(job: Job, axes: Axes, problems: Problems) -> None:
    """Report every ``row.column`` that the row's file does not have."""
    for located in _templates(job):
        for reference in located.template.references:
            columns = axes.columns.get(str(reference.chain[0]))
            if columns is None or len(reference.chain) < 2 or not isinstance(reference.chain[1], str):
                continue
            if reference.chain[1] not in columns and not reference.optional:
                axis = str(reference.chain[0])
                place = located.place_in(reference.line, reference.column)
                message = f'{axes.file_of(axis)} has no column "{reference.chain[1]}"'
                problems.broken.add(located.template.text)
                problems.error(place, "unknown-column", message, did_you_mean(reference.chain[1], columns))


def _templates(job: Job) -> Iterator[Located]:
    for step in job.steps.values():
        yield from (located for located, _ in step.templates())
    for axis in job.axes.values():
        if axis.where is not None:
            yield axis.where
        if axis.source is not None:
            yield from axis.source.leaves()
        if axis.key_template is not None:
            yield axis.key_template
