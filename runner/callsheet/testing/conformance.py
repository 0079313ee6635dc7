"""The conformance suite: everything that the contract asks of an operation, in one call."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.operation import BaseOperation, Operation, RemoteOperation
from .declared import declared, judged, registry_problem
from .examples import read_examples
from .local import local
from .pure import pure
from .remote import remote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .examples import Example


def check_operation(
    operation: object,
    examples: Sequence[Mapping[str, Any]] = (),
    prefix: str | None = None,
    *,
    folder: Path | str = ".",
    base_url: str | None = None,
) -> None:
    """Check an operation against the contract. Raises AssertionError that lists everything it breaks.

    Each example is a map:

    * ``with``: the inputs, as a job would give them; media as a path (relative to ``folder``), an https URL, a map
      with path, url or asset, or `Media`.
    * ``invalid: True``: the schema or `problems` must refuse it; it is not done.
    * ``raises``: the class of error that doing it must end with.
    * ``outputs``: some of the outputs that must come out.
    * ``replies``: what the provider answers, a list of (method, path, answer) for `ScriptedClient`. Without replies and
      without ``base_url`` (a server of the test's own) a remote operation is not done, only looked at.

    ``prefix`` is the plugin's; it defaults to the one in the operation's name.
    """
    name = str(getattr(operation, "name", None) or type(operation).__name__)
    refused = registry_problem(name.partition("/")[0] if prefix is None else prefix, operation)
    if refused is not None:
        found = [refused]
    else:
        assert isinstance(operation, BaseOperation)  # or the registry had refused it
        found = list(_violations(operation, examples, Path(folder), base_url))
    if found:
        listed = "".join(f"\n  - {violation}" for violation in dict.fromkeys(found))
        raise AssertionError(f"{name} breaks the contract of operations:{listed}")


def _violations(
    operation: BaseOperation, documents: Sequence[Mapping[str, Any]], folder: Path, base_url: str | None
) -> Iterator[str]:
    yield from declared(operation)
    examples, problems = read_examples(documents, operation.inputs, folder)
    yield from problems
    if not any(not example.invalid for example in examples):
        yield "there is no good example: give at least one, or nothing can be tried"
    yield from judged(operation, examples)
    yield from pure(operation, examples)
    for example in examples:
        if not example.invalid:
            with tempfile.TemporaryDirectory(prefix="callsheet-") as made:
                yield from asyncio.run(_done(operation, example, Path(made).resolve(), base_url))


async def _done(operation: BaseOperation, example: Example, folder: Path, base_url: str | None) -> list[str]:
    if isinstance(operation, Operation):
        return [violation async for violation in local(operation, example, folder, base_url)]
    assert isinstance(operation, RemoteOperation)
    return [violation async for violation in remote(operation, example, folder, base_url)]
