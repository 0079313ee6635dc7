"""`callsheet doctor`: what works here and what does not, and what to do about it."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ... import __version__
from ...errors import CallsheetError, CredentialsError, ExitCode
from ..common import open_state_of, redactor, set_up_logging, state_option

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXTRAS = {
    "media": ("pymediainfo", "filetype"),
    "progress": ("rich",),
    "sandbox": ("starlette", "uvicorn", "av", "espeakng_loader"),
}


@click.command()
@state_option
@click.pass_context
def command(ctx: click.Context, state: str | None) -> int:
    """Check Python, extras, plugins, the state and the credentials of this folder. Sends nothing."""
    set_up_logging(ctx.obj["verbose"])
    failed = False
    for good, text in _findings(state):
        failed = failed or good is False
        mark = {True: "ok  ", False: "FAIL", None: "    "}[good]
        click.echo(redactor(f"{mark} {text}"))
    return ExitCode.USAGE if failed else ExitCode.DONE


def _findings(state: str | None) -> Iterator[tuple[bool | None, str]]:
    """What was looked at: True is fine, False is broken, None is only worth knowing."""
    yield sys.version_info >= (3, 11), f"Python {platform.python_version()}, callsheet {__version__}"
    for extra, modules in _EXTRAS.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        how = f"missing {', '.join(missing)}: pip install 'callsheet[{extra}]'" if missing else "installed"
        yield None if missing else True, f"extra {extra}: {how}"
    yield from _plugins()
    yield from _state(state)


def _plugins() -> Iterator[tuple[bool | None, str]]:
    from ...registry import Registry

    registry = Registry()
    for found in registry.survey():
        if found.problem:
            yield False, f"plugin {found.prefix}: {found.problem}"
            continue
        yield True, f"plugin {found.prefix}: {len(found.operations)} operations"
        provider = registry.plugin(found.prefix).provider
        if provider is not None:
            try:
                connection = provider.connect({}, os.environ)
            except CredentialsError as problem:
                yield None, f"provider {found.prefix}: {problem.message} ({problem.hint})"
            else:
                redactor.add(connection.secrets)
                yield True, f"provider {found.prefix}: a key is set, for {connection.base_url}"


def _state(location: str | None) -> Iterator[tuple[bool | None, str]]:
    from ...project import find

    try:
        opened = open_state_of(find(Path.cwd()), location)
    except CallsheetError as problem:
        yield False, f"state: {problem.message}"
        return
    try:
        yield True, f"state: {opened.location}, {len(opened.runs(None, 1000))} runs"
    finally:
        opened.close()
