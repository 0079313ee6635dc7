"""The registry: what is wrong with a plugin is known when it is loaded, and stays its own problem."""

from __future__ import annotations

import gc
import types
from typing import TYPE_CHECKING, Any

import pytest

from callsheet.api import (
    PURE,
    BaseOperation,
    Context,
    Inputs,
    Operation,
    Outputs,
    RemoteOperation,
    Waiting,
    hookimpl,
)
from callsheet.errors import PluginError
from callsheet.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}}


class Echo(Operation):
    name = "acme/echo"
    repeat = PURE
    inputs = SCHEMA
    outputs = SCHEMA

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        return inputs


class Remote(RemoteOperation):
    name = "acme/remote"
    repeat = PURE
    inputs = SCHEMA
    outputs = SCHEMA

    async def start(self, inputs: Inputs, ctx: Context) -> Waiting:
        return Waiting({})

    async def check(self, handle: dict[str, Any], ctx: Context) -> Waiting:
        return Waiting(handle)


def module(**hooks: Callable[..., Any]) -> types.ModuleType:
    """A plugin with these hooks."""
    made = types.ModuleType("callsheet_acme")
    for name, function in hooks.items():
        setattr(made, name, hookimpl(function))
    return made


def offering(*operations: object) -> types.ModuleType:
    return module(callsheet_operations=lambda: operations)


def changed(base: type[BaseOperation] = Echo, **attributes: Any) -> BaseOperation:
    made: BaseOperation = type("Changed", (base,), attributes)()
    return made


def refusal(plugin: object) -> PluginError:
    """Why the plugin cannot be used. `survey` must say the same, and a second try too."""
    registry = Registry({"acme": plugin})
    with pytest.raises(PluginError) as caught:
        registry.plugin("acme")
    with pytest.raises(PluginError) as again:
        registry.plugin("acme")
    assert again.value is caught.value
    (found,) = [f for f in registry.survey() if f.prefix == "acme"]
    assert found.problem == caught.value.message
    return caught.value


def test_a_good_plugin() -> None:
    registry = Registry({"acme": offering(Echo(), Remote())})
    assert set(registry.plugin("acme").operations) == {"echo", "remote"}
    (found,) = [f for f in registry.survey() if f.prefix == "acme"]
    assert (found.problem, found.operations) == ("", ["acme/echo", "acme/remote"])


def not_async(self: Any, inputs: Any, ctx: Any) -> dict[str, Any]:
    return {}


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (Echo, "is a class; give an instance of it"),
        (object(), "is neither an Operation nor a RemoteOperation"),
        (changed(name="other/echo"), 'must be named "acme/…" in lower case'),
        (changed(name="echo"), 'must be named "acme/…" in lower case'),
        (changed(name="acme/Echo"), 'must be named "acme/…" in lower case'),
        (changed(name="acme/"), 'must be named "acme/…" in lower case'),
        (changed(name="acme/a b"), 'must be named "acme/…" in lower case'),
        (changed(name=7), ""),
        (changed(name=None), "does not say its name"),
        (changed(inputs=None), "does not say its inputs"),
        (changed(outputs=None, repeat=None), "does not say its outputs, repeat"),
        (changed(repeat="pure"), "must say what repeating means"),
        (changed(version="1"), "must have a whole number from 1 as version"),
        (changed(version=0), "must have a whole number from 1 as version"),
        (changed(run=not_async), "must define `run` with async def"),
        (changed(Remote, start=not_async), "must define `start` with async def"),
        (changed(Remote, check=not_async), "must define `check` with async def"),
        (changed(inputs={"type": "string"}), "must have an object schema as inputs"),
        (changed(outputs=[]), "must have an object schema as outputs"),
        (changed(cosmetic={"title"}), "names ['title'] in cosmetic, which are not among its inputs"),
        (changed(uploads={"file"}), "names ['file'] in uploads"),
        (changed(writes=("to",)), "names ['to'] in writes"),
        (changed(cosmetic=None), ""),
    ],
)
def test_what_is_wrong_with_an_operation(operation: object, reason: str) -> None:
    message = refusal(offering(operation)).message
    assert message.startswith('the plugin "acme" offers "')
    assert reason in message


@pytest.mark.parametrize(
    "schema",
    [{"type": "object", "properties": {"x": {"type": "nope"}}}, {"type": "object", "required": "x"}],
)
def test_a_bad_schema_is_named_when_the_operation_is_used(schema: dict[str, Any]) -> None:
    """Checking a schema takes long, so only those of operations in use are checked; `survey` tries them all."""
    registry = Registry({"acme": offering(changed(inputs=schema))})
    with pytest.raises(PluginError, match=r'"acme" offers "acme/echo", which .*not a valid JSON Schema'):
        registry.resolve("acme/echo", None)
    (found,) = [f for f in registry.survey() if f.prefix == "acme"]
    assert "not a valid JSON Schema" in found.problem


class NoOutputs(Operation):
    name = "acme/bare"
    repeat = PURE
    inputs = SCHEMA

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        return {}


def test_a_missing_declaration_is_named() -> None:
    assert "does not say its outputs" in refusal(offering(NoOutputs())).message


def test_the_same_name_twice() -> None:
    assert refusal(offering(Echo(), Echo())).message == 'the plugin "acme" offers "acme/echo" twice'


def _refusal_and_rubbish(plugin: object) -> str:
    """The refusal, with the forgotten coroutine collected: that is when Python warns of it."""
    try:
        return refusal(plugin).message
    finally:
        gc.collect()


class TestHooks:
    def test_no_hook_at_all(self) -> None:
        found = refusal(types.ModuleType("callsheet_acme"))
        assert "implements no hook" in found.message
        assert "@hookimpl" in found.hint

    def test_a_forgotten_decorator_is_no_hook(self) -> None:
        made = types.ModuleType("callsheet_acme")
        made.callsheet_operations = lambda: [Echo()]  # type: ignore[attr-defined]
        assert "implements no hook" in refusal(made).message

    def test_a_misspelt_hook(self) -> None:
        found = refusal(module(callsheet_operation=lambda: [Echo()]))
        assert "has a hook that does not fit" in found.message
        assert "callsheet_operation" in found.message

    def test_an_argument_that_no_hook_has(self) -> None:
        assert "does not fit" in refusal(module(callsheet_operations=lambda config: [])).message

    def test_another_version_of_the_contract(self) -> None:
        made = offering(Echo())
        made.CALLSHEET_API = 2  # type: ignore[attr-defined]
        assert refusal(made).message == 'the plugin "acme" needs version 2 of the plugin contract, this is 1'

    def test_a_hook_that_raises(self) -> None:
        def broken() -> Iterable[BaseOperation]:
            raise KeyError("no table")

        assert (
            "fails in callsheet_operations: KeyError: 'no table'"
            in refusal(module(callsheet_operations=broken)).message
        )

    def test_a_hook_that_exits(self) -> None:
        def leaving() -> Iterable[BaseOperation]:
            raise SystemExit(3)

        assert "callsheet_operations" in refusal(module(callsheet_operations=leaving)).message

    def test_a_generator_that_breaks_on_the_way(self) -> None:
        def broken() -> Iterator[BaseOperation]:
            yield Echo()
            raise KeyError("no table")

        assert "KeyError" in refusal(module(callsheet_operations=broken)).message

    def test_one_operation_instead_of_a_list(self) -> None:
        assert "acme" in refusal(module(callsheet_operations=lambda: Echo())).message  # noqa: PLW0108

    def test_an_async_hook(self) -> None:
        async def operations() -> Iterable[BaseOperation]:
            return [Echo()]

        plugin = module(callsheet_operations=operations)
        with pytest.warns(RuntimeWarning, match="never awaited"):
            message = _refusal_and_rubbish(plugin)
        assert "acme" in message

    def test_a_generator_is_fine(self) -> None:
        def operations() -> Iterator[BaseOperation]:
            yield Echo()

        assert set(Registry({"acme": module(callsheet_operations=operations)}).plugin("acme").operations) == {"echo"}

    def test_a_provider_that_is_none(self) -> None:
        assert "not an instance of Provider" in refusal(module(callsheet_provider=lambda: "acme")).message

    @pytest.mark.parametrize("filters", [[], {"a": 1}, "x"])
    def test_filters_that_are_none(self, filters: Any) -> None:
        if filters:
            assert "filters that are not a map" in refusal(module(callsheet_filters=lambda: filters)).message

    def test_filters_of_all_plugins(self) -> None:
        good = module(callsheet_filters=lambda: {"shout": str.upper})
        registry = Registry({"acme": good, "broken": types.ModuleType("broken")})
        assert registry.filters() == {"shout": str.upper}


class TestResolve:
    def registry(self) -> Registry:
        return Registry({"acme": offering(Echo(), changed(name="acme/translate"), changed(name="acme/video.v2"))})

    @pytest.mark.parametrize(
        ("uses", "provider", "found"),
        [
            ("acme/echo", None, ("acme", "acme/echo")),
            ("acme/video.v2", "heygen", ("acme", "acme/video.v2")),
            ("translate", "acme", ("acme", "acme/translate")),
            ("echo", "acme", ("acme", "acme/echo")),
            ("download", None, ("std", "std/download")),
            ("download", "acme", ("std", "std/download")),
            ("std/download", None, ("std", "std/download")),
        ],
    )
    def test_found(self, uses: str, provider: str | None, found: tuple[str, str]) -> None:
        prefix, operation = self.registry().resolve(uses, provider)
        assert (prefix, operation.name) == found

    @pytest.mark.parametrize(
        ("uses", "provider", "message", "hint"),
        [
            ("translate", None, '"translate" needs a provider', "provider: heygen"),
            ("transalte", None, 'there is no operation "transalte"', 'did you mean "translate"'),
            ("lipsync", "acme", 'the provider "acme" does not offer "lipsync"', "known:"),
            ("ecoh", "acme", 'there is no operation "ecoh"', 'did you mean "echo"'),
            ("acme/ecoh", None, '"acme" has no operation "acme/ecoh"', 'did you mean "acme/echo"'),
            ("acem/echo", None, 'there is no plugin "acem"', 'did you mean "acme"'),
            ("echo", "nobody", 'there is no plugin "nobody"', "known:"),
        ],
    )
    def test_not_found(self, uses: str, provider: str | None, message: str, hint: str) -> None:
        with pytest.raises(PluginError) as caught:
            self.registry().resolve(uses, provider)
        assert caught.value.message == message
        assert hint in caught.value.hint

    def test_no_provider(self) -> None:
        with pytest.raises(PluginError, match="offers no provider"):
            self.registry().provider("acme")

    def test_a_broken_plugin_hurts_only_those_who_use_it(self) -> None:
        registry = Registry({"broken": types.ModuleType("broken")})
        assert registry.resolve("download", None)[0] == "std"
        with pytest.raises(PluginError, match="implements no hook"):
            registry.resolve("broken/x", None)


def test_a_schema_is_compiled_once() -> None:
    registry = Registry({"acme": offering(Echo())})
    _, operation = registry.resolve("acme/echo", None)
    assert registry.checker(operation) is registry.checker(operation)
