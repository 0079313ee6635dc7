"""Connections to providers: which account a credential belongs to, and one paced HTTP client for each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import CredentialsError, OperationError, PluginError, ProviderStop, Retryable
from ..redaction import Redactor
from ..schema import Checker
from ..state.protocol import Account
from .http import HttpClient
from .pacing import Pacer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..core.operation import Connection, Limits, Provider
    from ..registry import Registry
    from ..state.protocol import State
    from .clock import Clock
    from .stop import Stop


_LONGEST_PAUSE = 60.0  # seconds to wait before a run has begun
USER_AGENT = f"callsheet/{__version__}"


@dataclass(slots=True)
class Session:
    """A provider with the account that this run uses. ``local`` tells that its API runs on this machine."""

    provider: Provider
    connection: Connection
    limits: Limits
    client: HttpClient
    pacer: Pacer
    account: str
    local: bool


class Sessions:
    """Opens sessions when they are needed. ``settings`` are the tables of the project file by provider."""

    def __init__(
        self,
        registry: Registry,
        state: State,
        env: Mapping[str, str],
        settings: Mapping[str, Mapping[str, Any]],
        clock: Clock,
    ) -> None:
        self._registry = registry
        self._state = state
        self._env = env
        self._settings = settings
        self._clock = clock
        self._open: dict[str, Session] = {}
        self._stop: Stop | None = None
        #: For texts that are kept; it learns every secret that is used.
        self.redactor = Redactor()

    def stop_with(self, stop: Stop) -> None:
        """From now on requests that still wait for their turn are given up when the run is stopped."""
        self._stop = stop
        for session in self._open.values():
            session.pacer.stop = stop

    def known_accounts(self, prefixes: Iterable[str]) -> dict[str, str]:
        """The accounts that can be told without asking anybody: the credential was used before on this state.

        Without a credential the only account ever seen of the provider is taken, so that a finished job can be looked
        at by people who have no key.
        """
        found: dict[str, str] = {}
        for prefix in prefixes:
            provider = self._provider(prefix)
            if provider is None:
                continue
            try:
                account = self._state.account_of(self._connection(provider).credential)
            except CredentialsError:
                # The sandbox is left out: its results are no answer to a job without a key.
                seen = [a for a in self._state.accounts(prefix) if not is_local(f"//{a.name.rpartition('@')[2]}")]
                account = seen[0] if len(seen) == 1 else None
            if account is not None:
                found[prefix] = account.fingerprint
        return found

    async def identify(self, prefix: str) -> str:
        """The account of a provider, asked from the provider when it is not known. Raises `CredentialsError`."""
        return (await self.session(prefix)).account

    async def session(self, prefix: str) -> Session:
        """The open session of a provider."""
        if prefix not in self._open:
            self._open[prefix] = await self._new(prefix)
        return self._open[prefix]

    def is_local(self, account: str) -> bool:
        """Whether the account's API runs on this machine."""
        return any(session.local for session in self._open.values() if session.account == account)

    def require_credentials(self, prefixes: Iterable[str]) -> None:
        """Raise `CredentialsError` for the first provider whose key is missing. Nothing is sent."""
        for prefix in prefixes:
            provider = self._provider(prefix)
            if provider is not None:
                self._connection(provider)

    def secrets(self, prefixes: Iterable[str]) -> set[str]:
        """The values that must appear nowhere."""
        found: set[str] = set()
        for prefix in prefixes:
            provider = self._provider(prefix)
            if provider is not None:
                try:
                    found |= self._connection(provider).secrets
                except CredentialsError:
                    continue  # no credential, no secret
        return found

    def close(self) -> None:
        """Close all connections."""
        for session in self._open.values():
            session.client.close()
        self._open.clear()

    async def _new(self, prefix: str) -> Session:
        provider = self._registry.provider(prefix)
        connection = self._connection(provider)
        limits = provider.limits(self._checked_settings(provider))
        known = self._state.account_of(connection.credential)
        client = HttpClient(connection, known.fingerprint if known else "", user_agent=USER_AGENT)
        account = known or await self._identify(provider, connection, client)
        client.account = account.fingerprint
        pacer = Pacer(self._state, account.fingerprint, limits.requests_per_second, self._clock)
        pacer.stop = self._stop
        client.pace(pacer)
        return Session(provider, connection, limits, client, pacer, account.fingerprint, is_local(connection.base_url))

    async def _identify(self, provider: Provider, connection: Connection, client: HttpClient) -> Account:
        try:
            name = await self._asked(provider, client)
        except ProviderStop:
            raise
        except OperationError as problem:
            raise OperationError(
                f"cannot ask {connection.base_url} for the account: {problem.message}",
                hint=problem.hint
                or "check the network, and the address if the environment or api_base in callsheet.toml sets it",
            ) from None
        fingerprint = hashlib.sha256(f"{provider.name}:{name}".encode()).hexdigest()[:32]
        account = Account(fingerprint, provider.name, name)
        await self._state.put_account(account, connection.credential)
        return account

    async def _asked(self, provider: Provider, client: HttpClient) -> str:
        """The account's name. Asking is free, so trouble on the way is waited out for a while."""
        for pause in (1.0, 3.0):
            try:
                return await provider.identify(client)
            except Retryable as problem:
                if problem.retry_after is not None and problem.retry_after > _LONGEST_PAUSE:
                    raise
                await self._clock.sleep(problem.retry_after or pause)
        return await provider.identify(client)

    def _connection(self, provider: Provider) -> Connection:
        connection = provider.connect(self._checked_settings(provider), self._env)
        self.redactor.add(connection.secrets)
        return connection

    def _checked_settings(self, provider: Provider) -> Mapping[str, Any]:
        settings = dict(self._settings.get(provider.name, {}))
        for fault in Checker(provider.settings).faults(settings):
            where = ".".join(["providers", provider.name, *map(str, fault.path)])
            raise PluginError(f"the setting {where}: {fault.message}", hint=fault.hint)
        return settings

    def _provider(self, prefix: str) -> Provider | None:
        return self._registry.plugin(prefix).provider


def is_local(url: str) -> bool:
    """Whether a base URL is on this machine: then result URLs may be too."""
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    return host in ("localhost", "127.0.0.1", "::1") or host.startswith("127.")
