"""The application: routes, errors, start and end."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import account, assets, front, inspection, lipsyncs, transfer, translations, videos, voices
from .asset_table import ASSETS
from .context import Sandbox, sandbox_of
from .errors import ApiError, StorageError
from .gate import Gate
from .rendering import RESULTS, Renderer
from .signing import Links
from .store import DATABASE, Store

if TYPE_CHECKING:
    from .resources import Kind
    from .settings import Settings

Handler = Callable[[Request], Awaitable[Response]]
STALE = 86400  # seconds after which a partly received file belongs to nobody


def create_app(settings: Settings) -> Starlette:
    """The ASGI application; raises callsheet.errors.UsageError if the data directory cannot be used."""
    prepare(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        store = Store(settings.data)
        renderer = Renderer(settings, store)
        app.state.sandbox = Sandbox(settings, store, Links(store.secret, settings.url_lifetime), renderer)
        renderer.resume()
        try:
            yield
        finally:
            renderer.close()
            store.close()

    return Starlette(
        routes=_routes(),
        middleware=[Middleware(Gate, settings=settings)],
        exception_handlers={ApiError: _api_error, StorageError: _storage_error, HTTPException: _http_error},
        lifespan=lifespan,
    )


def prepare(settings: Settings) -> None:
    """Make the folders and clear away what a killed sandbox left half received."""
    from callsheet.errors import UsageError

    try:
        for name in (ASSETS, RESULTS):
            (settings.data / name).mkdir(parents=True, exist_ok=True)
        probe = settings.data / ".writable"
        probe.touch()
        probe.unlink()
        for leftover in (settings.data / ASSETS).glob("*.part"):
            if leftover.stat().st_mtime < time.time() - STALE:
                leftover.unlink(missing_ok=True)
        for leftover in (settings.data / RESULTS).glob("*.part"):
            if leftover.stat().st_mtime < time.time() - STALE:
                shutil.rmtree(leftover, ignore_errors=True)
        Store(settings.data).close()
    except OSError as error:
        message = f"the sandbox cannot write to its data directory '{settings.data}': {error.strerror}"
        raise UsageError(message) from error
    except sqlite3.Error as error:
        message = f"'{settings.data / DATABASE}' cannot be used: {error}; choose another --data"
        raise UsageError(message) from error


def _routes() -> list[Route]:
    return [
        Route("/", front.page),
        Route("/_sandbox/state", inspection.state),
        Route("/_sandbox/creates", inspection.creates),
        Route("/_sandbox/reset", inspection.reset, methods=["POST"]),
        _counted("PUT", "/uploads/{asset_id}", transfer.put),
        _counted("GET", "/media/assets/{asset_id}/{name}", transfer.asset_file),
        _counted("GET", "/media/results/{job_id}/{name}", transfer.result_file),
        _counted("POST", "/v3/assets", assets.upload),
        _counted("POST", "/v3/assets/direct-uploads", assets.direct_upload),
        _counted("POST", "/v3/assets/{asset_id}/complete", assets.complete),
        _counted("GET", "/v3/assets/{asset_id}", assets.get),
        _counted("DELETE", "/v3/assets/{asset_id}", assets.delete),
        _counted("GET", "/v3/video-translations/languages", translations.languages),
        *_job_routes("/v3/lipsyncs", lipsyncs.KIND, lipsyncs.create),
        *_job_routes("/v3/video-translations", translations.KIND, translations.create),
        *_job_routes("/v3/videos", videos.KIND, videos.create),
        _counted("GET", "/v3/voices", voices.voices),
        _counted("POST", "/v3/voices/speech", voices.speech),
        _counted("GET", "/v3/users/me", account.me),
    ]


def _job_routes(path: str, kind: Kind, create: Handler) -> list[Route]:
    one = f"{path}/{{{kind.id_name}}}"
    routes = [
        _counted("POST", path, create),
        _counted("GET", path, kind.list),
        _counted("GET", f"{path}/statuses", kind.statuses),
        _counted("GET", one, kind.get),
        _counted("DELETE", one, kind.delete),
    ]
    return [*routes, _counted("PATCH", one, kind.rename)] if kind.title_changes else routes


def _counted(method: str, path: str, handler: Handler) -> Route:
    async def count(request: Request) -> Response:
        sandbox_of(request).counts.requests[f"{method} {path}"] += 1
        return await handler(request)

    return Route(path, count, methods=[method])


async def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.envelope(), error.status, headers=error.headers)


async def _storage_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, StorageError)
    return Response(error.document(), error.status, media_type="application/xml")


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    return JSONResponse(ApiError(error.status_code, code, error.detail).envelope(), error.status_code)
