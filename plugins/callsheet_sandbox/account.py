"""Who the caller is: GET /v3/users/me."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from .context import sandbox_of
from .validation import check_query

if TYPE_CHECKING:
    from starlette.requests import Request

BALANCE = 1000.0  # USD that are never spent: nothing here costs anything


async def me(request: Request) -> Response:
    """The account of this data directory."""
    check_query(request, ())
    wallet = {"currency": "usd", "remaining_balance": BALANCE, "auto_reload": None}
    data = {
        "username": sandbox_of(request).store.username,
        "email": None,
        "first_name": "Sandbox",
        "last_name": None,
        "billing_type": "wallet",
        "wallet": wallet,
        "subscription": None,
        "usage_based": None,
    }
    return JSONResponse({"data": data})
