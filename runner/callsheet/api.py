"""All that a plugin may import. Whatever is not here may change without notice.

``API_VERSION`` changes its major number when a plugin has to change; hooks and methods only ever gain arguments.
"""

from __future__ import annotations

from .core.money import Cost, Money
from .core.operation import (
    PURE,
    TAGGED,
    UNSAFE,
    BaseOperation,
    Client,
    Connection,
    Context,
    Done,
    Handle,
    Inputs,
    Limits,
    Operation,
    Outputs,
    Pace,
    Problem,
    Provider,
    RemoteOperation,
    Repeat,
    Reply,
    Schema,
    Waiting,
    keyed,
)
from .core.values import Media
from .errors import (
    AccessRefused,
    Ambiguous,
    CredentialsError,
    InvalidInput,
    NotReady,
    NotSent,
    OperationError,
    OutOfCredit,
    ProviderStop,
    RateLimited,
    Rejected,
    Retryable,
    ServerError,
)
from .hooks import hookimpl

API_VERSION = (1, 0)

__all__ = [
    "API_VERSION",
    "PURE",
    "TAGGED",
    "UNSAFE",
    "AccessRefused",
    "Ambiguous",
    "BaseOperation",
    "Client",
    "Connection",
    "Context",
    "Cost",
    "CredentialsError",
    "Done",
    "Handle",
    "Inputs",
    "InvalidInput",
    "Limits",
    "Media",
    "Money",
    "NotReady",
    "NotSent",
    "Operation",
    "OperationError",
    "OutOfCredit",
    "Outputs",
    "Pace",
    "Problem",
    "Provider",
    "ProviderStop",
    "RateLimited",
    "Rejected",
    "RemoteOperation",
    "Repeat",
    "Reply",
    "Retryable",
    "Schema",
    "ServerError",
    "Waiting",
    "hookimpl",
    "keyed",
]
