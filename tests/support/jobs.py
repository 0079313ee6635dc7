"""Jobs from a text, read and bound as `validate` does, with every problem at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.studio import Studio

from callsheet.expressions import Expressions
from callsheet.media import Prober
from callsheet.registry import Registry
from callsheet.spec.bind import Given
from callsheet.spec.load import BoundJob, Loading, load
from callsheet.spec.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from callsheet.core.diagnostics import Diagnostic

HEAD = "version: 1\nname: job\nprovider: studio\n"
#: One step that needs nothing.
STEP = "steps:\n  - {id: one, uses: look, with: {text: x}}\n"


@dataclass
class Loaded:
    """A job that was read. ``bound`` is None when it could not even be parsed."""

    bound: BoundJob | None
    problems: Problems

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.problems.diagnostics

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.diagnostics]

    @property
    def job(self) -> Any:
        assert self.bound is not None, self.diagnostics
        return self.bound.job

    def names(self) -> dict[str, Any]:
        assert self.bound is not None, self.diagnostics
        return self.bound.names

    def keys(self, *axes: str) -> list[tuple[str, ...]]:
        """The keys of all combinations of the axes."""
        assert self.bound is not None, self.diagnostics
        return [combination.keys for combination in self.bound.axes.combinations(axes)]

    def only(self) -> tuple[str, int, int, str]:
        """The one problem: code, line, column, message."""
        (problem,) = self.diagnostics
        return problem.code, problem.place.line, problem.place.column, problem.message


def read(
    folder: Path,
    text: str,
    *,
    head: str = HEAD,
    given: Mapping[str, str] | None = None,
    inputs_file: str | None = None,
    env: Mapping[str, str] | None = None,
    look: bool = True,
    provider: str | None = None,
    env_names: frozenset[str] = frozenset(),
) -> Loaded:
    """Read a job that is written to ``folder``/job.yaml; ``head`` comes before the text."""
    file = folder / "job.yaml"
    file.write_text(head + text, encoding="utf-8")
    registry = Registry({"studio": Studio()})
    loading = Loading(
        registry,
        Expressions(registry.filters),
        Prober(),
        env or {},
        Given(given, inputs_file),
        provider,
        look,
        env_names=env_names,
    )
    problems = Problems()
    return Loaded(load(str(file), loading, problems), problems)
