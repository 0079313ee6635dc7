"""From inputs to a request: what is sent is exactly what the job says, never a null and never a default of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..core.values import Media
from ..errors import InvalidInput
from .fields import Field, Fields, Wire, chosen, holds_media, word
from .pointers import put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..core.operation import Context, Inputs
    from .dialect import Lookup

OMITTED = object()


@dataclass(frozen=True, slots=True)
class Filled:
    """A request, ready to be checked and sent. ``path`` has its placeholders filled in."""

    path: str
    query: dict[str, str | list[str]] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Template:
    """The request of an entry: where it goes, the rules of its inputs and options, constants, the field of our tag."""

    method: str
    path: str
    fields: Fields
    options: Fields
    set: Mapping[str, Any]
    tag: str | None

    async def fill(self, inputs: Inputs, ctx: Context, lookups: Mapping[str, Lookup]) -> Filled:
        """Put the inputs in. Raises `InvalidInput` for what the provider has no word for."""
        body: dict[str, Any] = {}
        query: dict[str, str | list[str]] = {}
        places: dict[str, str] = {}
        for path, constant in self.set.items():
            put(body, path, constant)
        for name, rule, value in chosen(self.fields, self.options, inputs):
            for path, constant in rule.set.items():
                put(body, path, constant)
            if rule.media and isinstance(value, Media):
                await _put_media(body, rule.media, value, ctx)
                continue
            sent = await _without_media(value, ctx) if holds_media(value) else translated(rule, value, lookups, name)
            if sent is OMITTED:
                continue
            if rule.place == "path":
                places[rule.to] = quote(str(sent), safe="")
            elif rule.place == "query":
                query[rule.to] = [word(item) for item in sent] if isinstance(sent, list) else word(sent)
            else:
                put(body, rule.to, sent)
        if self.tag:
            put(body, self.tag, ctx.tag)
        return Filled(self.path.format_map(places), query, body)


def translated(rule: Field, value: Any, lookups: Mapping[str, Lookup], name: tuple[str, ...]) -> Any:
    """A plain value in the wire's words; `OMITTED` when it is said by leaving the field out."""
    if rule.values is not None:
        value = rule.values.get(word(value), value)
        if value is None:
            return OMITTED
    if rule.lookup:
        lookup = lookups[rule.lookup]
        found = lookup.find(str(value))
        if found is None:
            message, hint = lookup.explain(str(value))
            raise InvalidInput(f"{'.'.join(name)}: {message}", hint=hint)
        value = found
    return [value] if rule.many else value


async def _put_media(body: dict[str, Any], wire: Wire, media: Media, ctx: Context) -> None:
    form, value = await _reference(media, ctx)
    put(body, wire.asset if form == "asset_id" else wire.url, value)
    if wire.kind:
        put(body, wire.kind, form)


async def _without_media(value: Any, ctx: Context) -> Any:
    """A value of an option with the media inside it in the usual form, ``{type, asset_id}`` or ``{type, url}``."""
    if isinstance(value, Media):
        form, reference = await _reference(value, ctx)
        return {"type": form, form: reference}
    if isinstance(value, dict):
        return {key: await _without_media(item, ctx) for key, item in value.items()}
    return [await _without_media(item, ctx) for item in value] if isinstance(value, list) else value


async def _reference(media: Media, ctx: Context) -> tuple[str, str]:
    if media.asset:
        if media.account and media.account != ctx.client.account:
            raise InvalidInput(f'the asset "{media.asset}" belongs to another account', hint="upload the file again")
        return "asset_id", media.asset
    if media.path and not media.url:
        raise InvalidInput(f'"{media.path}" is a local file', hint='upload it first, with a step that "uses: upload"')
    return "url", await ctx.url(media)
