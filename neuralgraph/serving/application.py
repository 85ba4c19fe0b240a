"""The ASGI application: addresses, tokens, errors as codes, numbers for Prometheus. It changes nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from neuralgraph.adapters.viewer import viewer_page
from neuralgraph.errors import MissingExtraError, NeuralGraphError, StudyNotFoundError
from neuralgraph.serving.description import Endpoint, openapi
from neuralgraph.serving.metrics import Metrics
from neuralgraph.serving.state import ServedState
from neuralgraph.serving.studies import Films, Studies
from neuralgraph.serving.tokens import Tokens

__all__ = ["application"]

_COOKIE = "ngr_session"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
)
_NEXT = Callable[[Request], Awaitable[Response]]


def application(place: str, tokens: Tokens | None = None, *, films: Films | None = None) -> Starlette:
    """The application for one collection.

    Parameters
    ----------
    place : folder of the collection.
    tokens : who may read; None lets in everybody who can reach the server.
    films : gives the film of a study for the viewer, by study id and view ([height, width] float in 0..1), or None.

    Raises
    ------
    FormatError (E_OPEN, E_MANIFEST) : there is no collection, or it cannot be read.
    """
    state, metrics, keys = ServedState(place), Metrics(), tokens or Tokens()
    studies = Studies(state, films)
    endpoints = [*studies.endpoints, *_own_endpoints(state, metrics, keys)]
    described = openapi(endpoints, secured=keys.needed)
    endpoints.append(
        Endpoint("/openapi.json", lambda _: JSONResponse(described), "this description, OpenAPI 3.1", open=True)
    )
    routes = [Route(each.path, each.handler, methods=list(each.methods)) for each in endpoints]
    free = {each.path for each in endpoints if each.open}

    async def guard(request: Request, call_next: _NEXT) -> Response:
        began = time.perf_counter()
        allowed = (
            not keys.needed
            or request.url.path in free
            or keys.accepts(request.headers.get("authorization"))
            or keys.accepts_cookie(request.cookies.get(_COOKIE))
        )
        if allowed:
            response = await call_next(request)
        else:
            response = JSONResponse({"code": "E_TOKEN", "message": "show a bearer token"}, 401)
            response.headers["WWW-Authenticate"] = "Bearer"
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.setdefault("Cache-Control", "no-store")
        route = request.scope.get("route")
        metrics.add(getattr(route, "path", "none"), response.status_code, time.perf_counter() - began)
        return response

    return Starlette(
        routes=routes,
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=guard)],
        exception_handlers={NeuralGraphError: _refusal},
    )


def _refusal(_: Request, error: Exception) -> Response:
    """An error of this package, without the paths of the server."""
    assert isinstance(error, NeuralGraphError)
    status = 500
    if isinstance(error, StudyNotFoundError):
        status = 404
    elif error.code == "E_QUERY":
        status = 400
    elif isinstance(error, MissingExtraError):
        status = 501
    return JSONResponse({"code": error.code, "message": error.message}, status)


def _own_endpoints(state: ServedState, metrics: Metrics, keys: Tokens) -> list[Endpoint]:
    # These wait for nothing, and so need no thread of those that the studies are read by.
    async def health(_: Request) -> Response:
        return JSONResponse({"ok": True, "snapshot": state.manifest().snapshot})

    async def numbers(_: Request) -> Response:
        head = state.manifest()
        text = metrics.text(studies=head.studies, archives=len(head.archives), snapshot=head.snapshot)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def page(_: Request) -> Response:
        return HTMLResponse(_resource("collection.html"))

    async def script(_: Request) -> Response:
        return Response(_resource("collection.js"), media_type="text/javascript")

    async def documentation(_: Request) -> Response:
        return HTMLResponse(_resource("reference.html"))

    async def reference_script(_: Request) -> Response:
        return Response(_resource("reference.js"), media_type="text/javascript")

    async def viewer(_: Request) -> Response:
        response = HTMLResponse(viewer_page(connect="'self'"))
        # The page states its own policy, which lets in the script that is inside it.
        response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        return response

    async def session(request: Request) -> Response:
        if not keys.accepts(request.headers.get("authorization")):
            return JSONResponse({"code": "E_TOKEN", "message": "show a bearer token"}, 401)
        response = JSONResponse({"ok": True})
        secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
        response.set_cookie(_COOKIE, keys.cookie(), httponly=True, samesite="strict", secure=secure)
        return response

    html = ("text/html",)
    return [
        Endpoint("/", page, "the page: list, search, look", html, open=True),
        Endpoint("/collection.js", script, "the script of the page", ("text/javascript",), open=True),
        Endpoint("/docs", documentation, "this description, to be read", html, open=True),
        Endpoint("/reference.js", reference_script, "its script", ("text/javascript",), open=True),
        Endpoint("/viewer", viewer, "the viewer of one study", html, (("file", "string", "address of it"),), open=True),
        Endpoint("/session", session, "a cookie for a token, so that pages may read", open=True, methods=("POST",)),
        Endpoint("/health", health, "whether the collection can be read", open=True),
        Endpoint("/metrics", numbers, "numbers for Prometheus", ("text/plain",)),
    ]


def _resource(name: str) -> Any:
    return resources.files("neuralgraph.serving").joinpath(name).read_text(encoding="utf-8")
