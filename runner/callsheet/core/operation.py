"""The contract of an operation and of a provider: what a plugin gives, and what it is given.

An operation never sleeps, never retries, never prints and keeps no state of its own: pace, retries, limits, keys and
the state are the engine's. It raises the classes of `callsheet.errors.OperationError`; the engine reacts to the class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from .money import Cost
    from .values import Media

Schema = dict[str, Any]
Inputs = dict[str, Any]
Outputs = dict[str, Any]
Handle = dict[str, Any]

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Repeat:
    """What happens when the same request arrives twice; every operation must say.

    ``window`` is in seconds: how long the provider remembers an idempotency key; 0 means: look first, never resend.
    """

    kind: str  # "pure" | "keyed" | "tagged" | "unsafe"
    window: float = 0.0


#: Doing it again costs nothing and gives the same.
PURE = Repeat("pure")
#: The provider has no key, but a request of ours can be found again by its tag.
TAGGED = Repeat("tagged")
#: Each request is new work and is paid for.
UNSAFE = Repeat("unsafe")


def keyed(window: float) -> Repeat:
    """The provider replays its first answer to the same idempotency key for ``window`` seconds."""
    return Repeat("keyed", window)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to ask after a remote job: after ``first`` seconds, then after a ``share`` of what it has taken
    so far, between ``first`` and ``longest`` seconds."""

    first: float = 2.0
    share: float = 0.1
    longest: float = 60.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The remote job goes on. ``handle`` is what `check` needs to find it again; it may change while waiting.

    ``status`` is the provider's own word, for people; ``after`` the seconds it asked us to wait.
    """

    handle: Handle
    status: str = ""
    after: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The work is finished. ``cost`` is what it did cost, where the provider tells; media carry their ``fresh`` URL."""

    outputs: Outputs
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an input that a schema cannot say. ``path`` leads to it inside the inputs."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    code: str = "invalid-input"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a provider, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; a ValueError when it is something else, an HTML page of a gateway, say."""
        import json

        return json.loads(self.body)


class Client(Protocol):
    """The engine's HTTP client for one account. The API key goes to the API's own origin only."""

    account: str

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        file: tuple[str, Path, str] | None = None,
    ) -> Reply:
        """Send one request to ``path`` below the API's base URL and give back whatever it answers.

        ``file`` is (field name, local path, MIME type), sent as multipart without being read into memory.
        Raises `NotSent` when the request did not leave, `Ambiguous` when it may have arrived and no answer came.
        """
        ...

    async def put_file(self, url: str, file: Path, headers: Mapping[str, str]) -> Reply:
        """PUT a file to a presigned URL with exactly these headers and its length; no API key is sent."""
        ...


class Context(Protocol):
    """What the engine gives to an operation for one task."""

    key: str  # the idempotency key of this attempt; send it where the provider takes one
    tag: str  # a short mark to find the remote job again, for callback_id or a title
    task: str  # the task's address, for messages
    job_dir: Path  # the folder of the job file
    log: logging.Logger

    @property
    def client(self) -> Client:
        """The provider's client. Only operations of a provider have one."""
        ...

    async def url(self, media: Media) -> str:
        """A URL of the media that works right now: a result's is read again from the provider."""
        ...

    def target(self, name: str) -> Path:
        """Where an output file may go: inside the job's folder or an allowed root, else `InvalidInput`."""
        ...

    def source(self, name: str) -> Path:
        """A local file that an operation reads, relative to the job's folder; `InvalidInput` when there is none."""
        ...

    def render(self, template: str, data: Mapping[str, Any]) -> str:
        """Text from a template in the sandbox of expressions; it sees the names in ``data``. Raises `InvalidInput`."""
        ...

    async def fetch(self, media: Media, target: Path, *, overwrite: bool = False) -> Media:
        """Put the media into the file ``target``: streamed, resumed, checked, then renamed into place."""
        ...


class BaseOperation(ABC):
    """What every operation declares. All of it is data, read once when the plugin is loaded.

    ``inputs`` and ``outputs`` are JSON Schemas of objects (2020-12); media kinds are ``{"$ref": "callsheet:video"}``
    and so on. ``version`` is part of the purchase key: raise it when equal inputs give other results, because that buys
    everything again. ``cosmetic`` inputs do not make it another purchase. ``uploads`` names the media inputs that the
    provider takes as uploaded assets only: the runner uploads files for them. ``writes`` names inputs that are target
    files. ``pool`` is the provider's concurrency pool that a running job counts in; None means it counts in none.
    """

    name: str
    summary: str = ""
    version: int = 1
    inputs: Schema
    outputs: Schema
    repeat: Repeat
    cosmetic: Collection[str] = frozenset()
    uploads: Collection[str] = frozenset()
    writes: Collection[str] = frozenset()
    pool: str | None = None
    timeout: float = 2 * HOUR  # seconds to wait in one run, unless the step says otherwise
    pace: Pace = Pace()
    price: str = ""  # how the price is reckoned, for people; `estimate` gives it for given inputs
    original: str = ""  # the name under which its work is known, where this one is an alias
    deprecated: str = ""  # what to use instead
    lasting: bool = (
        True  # results can be read again with `check`; else the runner fetches them as soon as they are there
    )

    @property
    def identity(self) -> str:
        """The name under which work is known: an alias shares its work with the operation it stands for."""
        return self.original or self.name

    def estimate(self, inputs: Inputs) -> Cost | None:
        """What it will cost, at least and at most; None when it cannot be known, never 0 for "unknown".

        Pure: no network, no clock. Values that only a run can give are missing from ``inputs``; media carry the range
        of seconds they may have.
        """
        return None

    def predict(self, inputs: Inputs) -> Outputs:
        """What is known about the outputs before the run, such as how long the audio will be."""
        return {}

    def settle(self, inputs: Inputs, outputs: Outputs) -> Cost | None:
        """What it did cost, given what came out; None keeps the estimate."""
        return None

    def problems(self, inputs: Inputs) -> Iterable[Problem]:
        """What is wrong with the inputs beyond their schema. No network; values yet unknown are missing."""
        return ()


class Operation(BaseOperation):
    """Work that is finished when `run` returns. Doing it again costs nothing."""

    @abstractmethod
    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        """Do the work and give the outputs."""


class RemoteOperation(BaseOperation):
    """Work that a provider does, and that may cost money."""

    @abstractmethod
    async def start(self, inputs: Inputs, ctx: Context) -> Waiting | Done:
        """Submit it: the only method that may cost money. Called again with the same key after a lost answer."""

    @abstractmethod
    async def check(self, handle: Handle, ctx: Context) -> Waiting | Done:
        """Ask how it stands. Free, and may be repeated for ever; also gives fresh URLs of a finished job."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may do: remote jobs at once per pool, and requests per second."""

    jobs: Mapping[str, int] = field(default_factory=dict)
    requests_per_second: float = 5.0
    pace: Pace | None = None  # instead of the operations' own, where the settings say so


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a provider: the base URL and the headers that carry the credentials.

    ``secrets`` are the values that must appear nowhere. ``credential`` tells two credentials apart without revealing
    them: a digest.
    """

    base_url: str
    headers: Mapping[str, str]
    secrets: frozenset[str]
    credential: str


class Provider(ABC):
    """Who does the work: settings, limits and identity. Made without network or credentials."""

    name: str
    settings: Schema  # JSON Schema of its table in callsheet.toml: `[providers.<name>]`

    @abstractmethod
    def limits(self, settings: Mapping[str, Any]) -> Limits:
        """The account's limits."""

    @abstractmethod
    def connect(self, settings: Mapping[str, Any], env: Mapping[str, str]) -> Connection:
        """The connection; `CredentialsError` says which variable to set when the key is missing."""

    @abstractmethod
    async def identify(self, client: Client) -> str:
        """The provider's own lasting name of the account. One free request; never derived from the key."""
