"""Plugins and their operations: found by entry point, loaded when a job needs them, checked once.

A broken plugin is a named problem, never a traceback at start: each is loaded alone, and only jobs that use it care.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import logging
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pluggy

from callsheet_specs import neutral

from . import hooks
from .api import API_VERSION
from .core.diagnostics import did_you_mean
from .core.operation import BaseOperation, Operation, Provider, RemoteOperation, Repeat
from .errors import CallsheetError, PluginError
from .schema import Checker

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

log = logging.getLogger("callsheet.registry")

STANDARD = "std"
_NAME = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)*")


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that could be loaded."""

    prefix: str
    distribution: str
    version: str
    operations: dict[str, BaseOperation]  # by name without the prefix
    provider: Provider | None
    filters: dict[str, Callable[..., Any]]
    manager: pluggy.PluginManager


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin as its entry point names it; ``problem`` says why it cannot be used, empty when it can."""

    prefix: str
    target: str
    distribution: str
    version: str
    problem: str = ""
    operations: list[str] = field(default_factory=list)


class Registry:
    """Everything that is installed. ``extra`` plugins are given directly, for tests and embedding."""

    def __init__(self, extra: Mapping[str, object] | None = None) -> None:
        self._extra = dict(extra or {})
        self._entry_points: dict[str, list[importlib.metadata.EntryPoint]] = {}
        for entry in importlib.metadata.entry_points(group=hooks.GROUP):
            self._entry_points.setdefault(entry.name, []).append(entry)
        self._loaded: dict[str, Plugin | PluginError] = {}
        self._checkers: dict[str, Checker] = {}
        self._verified: set[str] = set()

    # -- plugins

    def prefixes(self) -> list[str]:
        """The prefixes of all plugins, loadable or not."""
        return sorted({*self._entry_points, *self._extra})

    def plugin(self, prefix: str) -> Plugin:
        """Load a plugin. Raises `PluginError` naming it and the reason; the same again on the next call."""
        if prefix not in self._loaded:
            try:
                self._loaded[prefix] = self._load(prefix)
            except PluginError as problem:
                self._loaded[prefix] = problem
        known = self._loaded[prefix]
        if isinstance(known, PluginError):
            raise known
        return known

    def survey(self) -> list[Found]:
        """Try every plugin and say what came of it; never raises."""
        return [self._survey(prefix) for prefix in self.prefixes()]

    def _survey(self, prefix: str) -> Found:
        entry = self._entry_points.get(prefix, [None])[0]
        dist = entry.dist if entry else None
        target = entry.value if entry else repr(self._extra.get(prefix))
        name, version = (dist.name, dist.version) if dist else ("", "")
        try:
            plugin = self.plugin(prefix)
            for operation in plugin.operations.values():
                self._verify(prefix, operation)
        except PluginError as problem:
            return Found(prefix, target, name, version, problem.message)
        return Found(prefix, target, name, version, "", sorted(f"{prefix}/{n}" for n in plugin.operations))

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of all plugins that can be loaded."""
        found: dict[str, Callable[..., Any]] = {}
        for prefix in self.prefixes():
            try:
                found.update(self.plugin(prefix).filters)
            except PluginError:
                continue  # `callsheet plugins` tells about it; a job that uses the plugin fails with the reason
        return found

    def observers(self) -> list[Callable[..., Any]]:
        """The `callsheet_event` hooks of the plugins that a job has loaded."""
        plugins = [plugin for plugin in self._loaded.values() if isinstance(plugin, Plugin)]
        hooked = [plugin.manager.hook.callsheet_event for plugin in plugins]
        return [hook for hook in hooked if hook.get_hookimpls()]

    def add_commands(self, group: object) -> None:
        """Let every plugin that can be loaded add its commands; one that cannot is `callsheet plugins`' to tell."""
        for prefix in self.prefixes():
            try:
                self.plugin(prefix).manager.hook.callsheet_commands(group=group)
            except PluginError:
                continue
            except Exception as problem:
                log.warning('the plugin "%s" cannot add its commands: %s', prefix, problem)

    def _load(self, prefix: str) -> Plugin:
        entries = self._entry_points.get(prefix, [])
        if prefix not in self._extra and not entries:
            raise PluginError(f'there is no plugin "{prefix}"', hint=did_you_mean(prefix, self.prefixes()))
        if len(entries) > 1 and prefix not in self._extra:
            owners = ", ".join(sorted(e.dist.name if e.dist else e.value for e in entries))
            raise PluginError(f'several packages claim the prefix "{prefix}": {owners}', hint="uninstall all but one")
        entry = entries[0] if entries else None
        module = self._extra[prefix] if prefix in self._extra else _import(prefix, entry)
        manager = _manager(prefix, module)
        operations = _operations(prefix, manager)
        dist = entry.dist if entry else None
        return Plugin(
            prefix,
            dist.name if dist else "",
            dist.version if dist else "",
            operations,
            _provider(prefix, manager),
            _filters(prefix, manager),
            manager,
        )

    # -- operations

    def resolve(self, uses: str, provider: str | None) -> tuple[str, BaseOperation]:
        """The operation that ``uses`` names, with the prefix of its plugin.

        Raises `PluginError` when there is none: the message says what is known.
        """
        prefix, operation = self._find(uses, provider)
        self._verify(prefix, operation)
        return prefix, operation

    def _verify(self, prefix: str, operation: BaseOperation) -> None:
        """Check the schemas of an operation when a job first uses it: all of a plugin's would take too long."""
        if operation.name not in self._verified:
            _check_schemas(prefix, operation)
            self._verified.add(operation.name)

    def _find(self, uses: str, provider: str | None) -> tuple[str, BaseOperation]:
        if "/" in uses:
            prefix, _, name = uses.partition("/")
            return prefix, self._offered(self.plugin(prefix), name, uses)
        standard = self.plugin(STANDARD).operations
        if uses in standard:
            return STANDARD, standard[uses]
        if provider is None:
            if uses in neutral():
                raise PluginError(
                    f'"{uses}" needs a provider', hint='add "provider: heygen" to the job, the step or callsheet.toml'
                )
            known = [*standard, *neutral()]
            raise PluginError(f'there is no operation "{uses}"', hint=did_you_mean(uses, known))
        return provider, self._offered(self.plugin(provider), uses, uses)

    def _offered(self, plugin: Plugin, name: str, uses: str) -> BaseOperation:
        if name in plugin.operations:
            return plugin.operations[name]
        if "/" in uses:
            known = [f"{plugin.prefix}/{n}" for n in plugin.operations]
            raise PluginError(f'"{plugin.prefix}" has no operation "{uses}"', hint=did_you_mean(uses, known))
        known = [*self.plugin(STANDARD).operations, *plugin.operations]
        what = f'the provider "{plugin.prefix}" does not offer' if uses in neutral() else "there is no operation"
        raise PluginError(f'{what} "{uses}"', hint=did_you_mean(uses, known))

    def checker(self, operation: BaseOperation) -> Checker:
        """The operation's input schema, compiled once."""
        if operation.name not in self._checkers:
            self._checkers[operation.name] = Checker(operation.inputs, known_good=operation.name in self._verified)
        return self._checkers[operation.name]

    def provider(self, prefix: str) -> Provider:
        """The provider of a plugin. Raises `PluginError` when it has none."""
        provider = self.plugin(prefix).provider
        if provider is None:
            raise PluginError(f'the plugin "{prefix}" offers no provider')
        return provider


def _import(prefix: str, entry: importlib.metadata.EntryPoint | None) -> ModuleType:
    assert entry is not None
    try:
        module: ModuleType = entry.load()
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as problem:  # a plugin may raise anything at all when it is imported, SystemExit too
        raise PluginError(
            f'the plugin "{prefix}" ({entry.value}) cannot be imported: {type(problem).__name__}: {problem}',
            hint="reinstall or remove its package",
        ) from problem
    return module


def _manager(prefix: str, module: object) -> pluggy.PluginManager:
    """One manager per plugin: so it is always known who answered, and one plugin cannot hurt another."""
    needed = getattr(module, "CALLSHEET_API", API_VERSION[0])
    if needed != API_VERSION[0]:
        raise PluginError(
            f'the plugin "{prefix}" needs version {needed} of the plugin contract, this is {API_VERSION[0]}'
        )
    manager = pluggy.PluginManager(hooks.GROUP)
    manager.add_hookspecs(hooks)
    try:
        manager.register(module, name=prefix)
        manager.check_pending()
    except pluggy.PluginValidationError as problem:
        raise PluginError(f'the plugin "{prefix}" has a hook that does not fit: {problem}') from problem
    if not manager.get_hookcallers(module):
        raise PluginError(f'the plugin "{prefix}" implements no hook', hint="decorate its functions with @hookimpl")
    return manager


def _call(prefix: str, hook: pluggy.HookCaller) -> Any:
    try:
        answers = hook()
        answer = answers[0] if answers else None
        return list(answer) if isinstance(answer, Iterable) and not isinstance(answer, Mapping) else answer
    except (KeyboardInterrupt, CallsheetError):
        raise
    except BaseException as problem:  # a plugin may raise anything at all, SystemExit too
        said = f"{type(problem).__name__}: {problem}"
        raise PluginError(f'the plugin "{prefix}" fails in {hook.name}: {said}') from problem


def _operations(prefix: str, manager: pluggy.PluginManager) -> dict[str, BaseOperation]:
    operations: dict[str, BaseOperation] = {}
    given = _call(prefix, manager.hook.callsheet_operations) or []
    if not isinstance(given, list):
        raise PluginError(f'the plugin "{prefix}" gives {type(given).__name__} where a list of operations is wanted')
    for operation in given:
        name = declared(prefix, operation)
        if name in operations:
            raise PluginError(f'the plugin "{prefix}" offers "{operation.name}" twice')
        operations[name] = operation
    return operations


def _provider(prefix: str, manager: pluggy.PluginManager) -> Provider | None:
    provider = _call(prefix, manager.hook.callsheet_provider)
    if provider is None:
        return None
    if not isinstance(provider, Provider):
        raise PluginError(
            f'the plugin "{prefix}" gives {type(provider).__name__} as provider, not an instance of Provider'
        )
    if getattr(provider, "name", None) != prefix:
        raise PluginError(
            f'the plugin "{prefix}" gives a provider named "{getattr(provider, "name", "")}"; the names must agree'
        )
    return provider


def _filters(prefix: str, manager: pluggy.PluginManager) -> dict[str, Callable[..., Any]]:
    filters = _call(prefix, manager.hook.callsheet_filters) or {}
    if not isinstance(filters, dict) or not all(callable(f) for f in filters.values()):
        raise PluginError(f'the plugin "{prefix}" gives filters that are not a map from names to functions')
    return filters


def checked(prefix: str, operation: object) -> str:
    """The short name of an operation. Raises `PluginError` for all that can be known to be wrong without running it."""
    name = declared(prefix, operation)
    assert isinstance(operation, BaseOperation)
    _check_schemas(prefix, operation)
    return name


def _refusal(prefix: str, operation: object, reason: str) -> PluginError:
    label = getattr(operation, "name", None) or type(operation).__name__
    return PluginError(f'the plugin "{prefix}" offers "{label}", which {reason}')


def declared(prefix: str, operation: object) -> str:
    """The short name of an operation. Raises `PluginError` for what a look at its declaration shows."""

    def refuse(reason: str) -> PluginError:
        return _refusal(prefix, operation, reason)

    if isinstance(operation, type):
        raise refuse("is a class; give an instance of it")
    if not isinstance(operation, Operation | RemoteOperation):
        raise refuse("is neither an Operation nor a RemoteOperation")
    missing = [n for n in ("name", "inputs", "outputs", "repeat") if getattr(operation, n, None) is None]
    if missing:
        raise refuse(f"does not say its {', '.join(missing)}")
    if not isinstance(operation.name, str):
        raise refuse("has a name that is no text")
    name = operation.name.removeprefix(f"{prefix}/")
    if name == operation.name or not _NAME.fullmatch(name):
        raise refuse(f'must be named "{prefix}/…" in lower case')
    if not isinstance(operation.repeat, Repeat):
        raise refuse("must say what repeating means: PURE, keyed(seconds), TAGGED or UNSAFE")
    if not isinstance(operation.version, int) or operation.version < 1:
        raise refuse("must have a whole number from 1 as version")
    methods = ("run",) if isinstance(operation, Operation) else ("start", "check")
    for method in methods:
        if not inspect.iscoroutinefunction(getattr(operation, method)):
            raise refuse(f"must define `{method}` with async def")
    for what in ("inputs", "outputs"):
        schema = getattr(operation, what)
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise refuse(f'must have an object schema as {what}: {{"type": "object", …}}')
    for what in ("cosmetic", "uploads", "writes"):
        _check_names(operation, what, refuse)
    return name


def _check_names(operation: BaseOperation, what: str, refuse: Callable[[str], PluginError]) -> None:
    """A set of input names."""
    names = getattr(operation, what)
    if not isinstance(names, Collection) or isinstance(names, str):
        raise refuse(f"must have a set of names as {what}")
    strangers = sorted(set(names) - set(operation.inputs.get("properties", {})))
    if strangers:
        raise refuse(f"names {strangers} in {what}, which are not among its inputs")


def _check_schemas(prefix: str, operation: BaseOperation) -> None:
    for what in ("inputs", "outputs"):
        try:
            Checker(getattr(operation, what))
        except ValueError as problem:
            raise _refusal(prefix, operation, f"has an {what[:-1]} schema that is {problem}") from None
