"""From a file name to a bound job: the one code path that `validate`, `plan` and `run` share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import SpecError, UsageError
from . import source as yaml_source
from .axes import Axes
from .bind import Given, base_names, bind_inputs, bind_variables
from .check import check
from .columns import check_columns
from .files import MediaFiles
from .parse import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..core.model import Job
    from ..expressions import Expressions
    from ..registry import Registry
    from .files import Probe
    from .problems import Problems


@dataclass(frozen=True, slots=True)
class Loading:
    """What it takes to load job files. ``provider`` is the project's default; ``look`` is False for `--no-files`.

    ``roots`` are folders that jobs may use besides their own; ``env_names`` variables that every job may read.
    """

    registry: Registry
    expressions: Expressions
    probe: Probe
    env: Mapping[str, str]
    given: Given = field(default_factory=Given)
    provider: str | None = None
    look: bool = True
    roots: tuple[Path, ...] = ()
    env_names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BoundJob:
    """A job with its values: what its expressions see, its axes, and the files it names."""

    job: Job
    names: dict[str, Any]
    axes: Axes
    media: MediaFiles
    source: yaml_source.Source


def load(file: str, loading: Loading, problems: Problems) -> BoundJob | None:
    """Read, parse, check and bind a job file. Problems are collected; None when planning makes no sense.

    Raises UsageError when the file cannot be read at all.
    """
    try:
        source = yaml_source.load(file)
    except SpecError as problem:
        problems.add(problem.diagnostics)
        return None
    job = parse(source, loading.registry, loading.expressions, problems, loading.provider)
    if job is None:
        return None
    job = check(replace(job, env_names=job.env_names | loading.env_names), problems)
    media = MediaFiles(job.folder, loading.probe, look=loading.look, roots=loading.roots)
    inputs = bind_inputs(job, loading.given, loading.env, media, problems)
    names = base_names(job, inputs, loading.env)
    names["vars"] = bind_variables(job, inputs, loading.env, problems)
    axes = Axes(job, names, problems)
    axes.load()
    check_columns(job, axes, problems)
    return BoundJob(job, names, axes, media, source)


def given_inputs(pairs: tuple[str, ...], file: str | None) -> Given:
    """Input values from ``-i name=value`` flags and ``--inputs FILE``. Raises UsageError."""
    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f'"-i {pair}" has no value', hint=f"write -i {name}=VALUE")
        texts[name] = value
    return Given(texts, file)
