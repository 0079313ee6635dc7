"""Every error that callsheet expects, sorted by what has to happen next.

::

    CallsheetError                  one clear line for the user, and an exit code
    ├── UsageError                  2: wrong flags, missing or unreadable files
    │   └── SpecError               2: problems in job or data files, each with its place
    ├── PluginError                 2: a plugin that cannot be used, named
    ├── StateError                  2: a state file that cannot be used
    ├── CredentialsError            3: no key, or the provider refuses it
    ├── SpendingError               5: over budget, or nobody agreed to the price
    └── OperationError              what an operation may raise; the engine reacts by class
        ├── Retryable               the same request may be sent again, with the same key
        │   ├── NotSent             the request certainly did not reach the provider
        │   ├── RateLimited         refused for now: too many requests or too many jobs
        │   ├── ServerError         the provider is in trouble and says that it did nothing yet
        │   └── NotReady            something this request needs is not finished yet
        ├── Ambiguous               the provider may have accepted; never repeated blindly
        ├── Rejected                final: refused or failed, and repeating will not help
        └── ProviderStop            final for the whole run: no new submissions
            ├── AccessRefused       401/403: the key does not work
            └── OutOfCredit         402 or a used-up quota
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .core.diagnostics import Diagnostic


class ExitCode(IntEnum):
    """Exit codes of the command; the same list is in ``callsheet --help``."""

    DONE = 0  # everything is as the job says; nothing to do is done
    FAILED = 1  # some tasks failed
    USAGE = 2  # usage or invalid spec; nothing was sent
    ACCESS = 3  # authentication or permission
    IN_PROGRESS = 4  # still in progress at the provider; run again later
    STOPPED = 5  # stopped before spending: over budget, no consent
    WAITING = 6  # waiting for a person: approval, unknown outcome
    CHANGES = 20  # `plan --exit-code`: something would run
    BUG = 70  # a bug in callsheet or a plugin
    INTERRUPTED = 130  # Ctrl-C; state kept
    TERMINATED = 143  # SIGTERM; state kept


class CallsheetError(Exception):
    """Something went wrong that callsheet expects and can explain."""

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").splitlines()[0])
        self.hint = hint

    @property
    def message(self) -> str:
        """What is wrong, without the hint."""
        return str(self.args[0])


class UsageError(CallsheetError):
    """The command cannot be carried out as given."""

    exit_code = ExitCode.USAGE


class SpecError(UsageError):
    """Job or data files have problems; ``diagnostics`` holds all of them, sorted by place."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        count = len(diagnostics)
        super().__init__(f"{count} problem{'' if count == 1 else 's'} found")
        self.diagnostics = list(diagnostics)


class PluginError(CallsheetError):
    """A plugin cannot be used."""

    exit_code = ExitCode.USAGE


class StateError(CallsheetError):
    """The state cannot be used."""

    exit_code = ExitCode.USAGE


class CredentialsError(CallsheetError):
    """The provider's credentials are missing or refused."""

    exit_code = ExitCode.ACCESS


class SpendingError(CallsheetError):
    """Nothing was bought: the price does not fit the budget, or nobody agreed to it."""

    exit_code = ExitCode.STOPPED


class OperationError(CallsheetError):
    """An operation did not succeed; subclasses say what may be done about it.

    ``kind`` is the class that ``retry.on`` and ``continue_on_error`` name; ``code`` the provider's own
    code; ``request_id`` the provider's id of the exchange, for its support.
    """

    kind: str = "failed"

    def __init__(self, message: str = "", *, hint: str = "", code: str = "", request_id: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.request_id = request_id


class Retryable(OperationError):
    """The same request may be sent again with the same key."""

    kind = "network"

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        hint: str = "",
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message, hint=hint, code=code, request_id=request_id)
        self.retry_after = retry_after  # seconds the provider asked for; honoured in full


class NotSent(Retryable):
    """The request certainly did not reach the provider."""

    kind = "network"


class RateLimited(Retryable):
    """The provider refused for now: too many requests or too many jobs."""

    kind = "rate_limited"


class ServerError(Retryable):
    """The provider is in trouble."""

    kind = "server_error"


class NotReady(Retryable):
    """Something this request needs is not finished yet."""

    kind = "not_ready"


class Ambiguous(OperationError):
    """The provider may have accepted the request; its answer is lost."""

    kind = "ambiguous"


class Rejected(OperationError):
    """The provider refused the request or the remote job failed; repeating will not help."""

    kind = "provider_failed"


class InvalidInput(Rejected):
    """The provider or the operation does not accept these inputs."""

    kind = "invalid_input"


class ProviderStop(OperationError):
    """The provider accepts nothing more in this run."""

    kind = "stopped"


class AccessRefused(ProviderStop):
    """The provider refuses the key."""

    kind = "access"
    exit_code = ExitCode.ACCESS


class OutOfCredit(ProviderStop):
    """The account has no credit left."""

    kind = "credit"
    exit_code = ExitCode.STOPPED
