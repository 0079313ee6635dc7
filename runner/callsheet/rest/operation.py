"""The one operation behind every entry."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..core.operation import Done, Problem, RemoteOperation, Waiting
from ..core.values import Media
from ..errors import Ambiguous, InvalidInput, Rejected, Retryable
from ..schema import Checker
from . import outputs, replies
from .body import OMITTED, Filled, translated
from .fields import chosen, holds_media
from .pointers import at, inside
from .price import length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..core.money import Cost
    from ..core.operation import Context, Handle, Inputs, Outputs, Reply
    from .dialect import Dialect
    from .entry import Entry


class RestOperation(RemoteOperation):
    """A remote operation made from an entry. ``original`` is its name, also where ``name`` is a deprecated one."""

    def __init__(self, entry: Entry, dialect: Dialect, *, name: str = "") -> None:
        data = entry.data
        self.entry = entry
        self.dialect = dialect
        self.name = name or entry.name
        self.original = entry.name
        self.deprecated = entry.name.partition("/")[2] if name else ""
        self.summary = entry.summary
        self.version = entry.version
        self.inputs = entry.inputs
        self.outputs = entry.outputs_schema
        self.repeat = entry.repeat
        self.cosmetic = frozenset(data.get("cosmetic", ()))
        self.uploads = frozenset(data.get("uploads", ()))
        self.pool = data.get("pool")
        self.timeout = float(data.get("timeout", RemoteOperation.timeout))
        self.pace = entry.pace
        self.lasting = entry.poll is not None
        self.price = entry.price.describe(dialect.card) if entry.price and dialect.card else ""

    # -- before the run

    def estimate(self, inputs: Inputs) -> Cost | None:
        """By the entry's price rule and the provider's dated prices."""
        price, card = self.entry.price, self.dialect.card
        return price.cost(length(self.entry.lasts, inputs), inputs, card) if price and card else None

    def settle(self, inputs: Inputs, outputs: Outputs) -> Cost | None:
        """The price by the length of what came out; None where the length does not count or is unknown."""
        price, card = self.entry.price, self.dialect.card
        made = (outputs.get(name) for name, output in self.entry.outputs.items() if output.media and output.required)
        seconds = next((media.duration for media in made if isinstance(media, Media)), None)
        if price is None or card is None or seconds is None:
            return None
        return price.cost((seconds, seconds), inputs, card)

    def predict(self, inputs: Inputs) -> Outputs:
        """How long the certain media will play, and the inputs that are handed on."""
        seconds = length(self.entry.lasts, inputs)
        known: Outputs = {}
        for name, output in self.entry.outputs.items():
            if output.media and output.required:
                timed = output.media in {"video", "audio"}
                known[name] = Media(output.media, expected=seconds if timed else None)
            elif output.copied and output.copied in inputs:
                known[name] = inputs[output.copied]
        return known

    def problems(self, inputs: Inputs) -> Iterator[Problem]:
        """What the provider would refuse: words it does not know, inputs that exclude each other."""
        for names in self.entry.only_one:
            given = [name for name in names if inside(inputs, name) is not None]
            if len(given) > 1:
                listed = " and ".join(f'"{name}"' for name in given)
                yield Problem(tuple(given[1].split(".")), f"{listed} exclude each other", "give one of them")
        for path, rule, value in chosen(self.entry.template.fields, self.entry.template.options, inputs):
            if holds_media(value):
                yield from _option_problems(path, value) if path[0] == "options" else ()
                continue
            try:
                sent = translated(rule, value, self.dialect.lookups, path)
            except InvalidInput as problem:
                yield Problem(path, problem.message.partition(": ")[2], problem.hint)
                continue
            if sent is not OMITTED and path[0] != "options":
                checker = self._properties.get(rule.to)
                for fault in checker.faults(sent) if checker else ():
                    yield Problem(path, f"{self.dialect.provider}: {fault.message}", fault.hint)

    @cached_property
    def _body(self) -> Checker | None:
        return Checker(self.entry.body, known_good=True) if self.entry.body else None

    @cached_property
    def _properties(self) -> dict[str, Checker]:
        schema = self.entry.body or {}
        definitions = {"$defs": schema.get("$defs", {})}
        parts = schema.get("properties", {}).items()
        return {name: Checker({**definitions, **part}, known_good=True) for name, part in parts}

    # -- the run

    async def request(self, inputs: Inputs, ctx: Context) -> Filled:
        """The request as it would be sent. Raises `InvalidInput` when it does not fit the provider's schema."""
        filled = await self.entry.template.fill(inputs, ctx, self.dialect.lookups)
        faults = self._body.faults(filled.body) if self._body else []
        if faults:
            told = "; ".join(f"{'.'.join(map(str, f.path)) or 'body'}: {f.message}" for f in faults[:5])
            raise InvalidInput(f"{self.dialect.provider} would refuse the request: {told}", hint=faults[0].hint)
        return filled

    async def start(self, inputs: Inputs, ctx: Context) -> Waiting | Done:
        """Send the request. With the same key a keyed operation gives the same job again."""
        filled = await self.request(inputs, ctx)
        reply = await ctx.client.request(
            self.entry.template.method,
            filled.path,
            json=filled.body if self.entry.body else None,
            params=filled.query or None,
            headers={self.entry.header: ctx.key} if self.entry.header else None,
        )
        if not reply.ok:
            raise replies.refused(self.dialect, reply, self.repeat)
        handed_on = {o.copied: inputs[o.copied] for o in self.entry.outputs.values() if o.copied in inputs}
        return self._accepted(reply, handed_on)

    def _accepted(self, reply: Reply, handed_on: dict[Any, Any]) -> Waiting | Done:
        answer = replies.document(reply)
        if self.entry.poll is None:
            values, missing = outputs.read(self.entry.outputs, answer, handed_on)
        else:
            values, missing = {}, "" if _is_id(found := at(answer, self.entry.id or "")) else "id"
        if missing:
            # An id counts more than an error beside it: the job exists and is paid for.
            raise replies.failed_2xx(self.dialect, reply) or replies.unclear(self.dialect, reply, self.repeat, missing)
        if self.entry.poll is None:
            return Done(values)
        status = at(answer, self.entry.poll.status)
        return Waiting({"id": str(found), "inputs": handed_on}, status if isinstance(status, str) else "")

    async def check(self, handle: Handle, ctx: Context) -> Waiting | Done:
        """Ask after the job. Whatever goes wrong here is retryable: it says nothing about the job."""
        poll = self.entry.poll
        if poll is None:
            raise InvalidInput(f'"{self.name}" is done at once and cannot be asked after')
        path = poll.path.format(id=quote(str(handle["id"]), safe=""))
        try:
            reply = await ctx.client.request("GET", path)
        except (Ambiguous, Rejected) as problem:  # no answer, or none that can be read: nothing is known about the job
            raise Retryable(problem.message, hint=problem.hint) from problem
        if not reply.ok:
            raise replies.poll_trouble(self.dialect, reply)
        answer = replies.document(reply)
        status = at(answer, poll.status)
        if not isinstance(status, str) or not status:
            raise Retryable(f"{self.dialect.provider}: no status in the answer (HTTP {reply.status})", code="no_status")
        if status.lower() in poll.failed:
            raise replies.job_failed(self.dialect, reply, at(answer, poll.code), at(answer, poll.text))
        if status.lower() not in poll.done:
            return Waiting(handle, replies.plain(status))
        values, missing = outputs.read(self.entry.outputs, answer, handle.get("inputs") or {})
        # "completed" without its result does occur: the result follows a little later.
        return Waiting(handle, f"{replies.plain(status)}, {missing} not there yet") if missing else Done(values)


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _option_problems(path: tuple[str | int, ...], value: Any) -> Iterator[Problem]:
    """Local files in options: only an operation's own inputs are uploaded by the runner."""
    if isinstance(value, Media) and value.path and not (value.asset or value.url):
        yield Problem(path, f'"{value.path}" is a local file', 'upload it first, with a step that "uses: upload"')
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield from _option_problems((*path, key), part)
