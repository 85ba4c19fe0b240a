"""The OpenAPI description of a server: what the table of its endpoints says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from neuralgraph.errors import VERSION

__all__ = ["Endpoint", "openapi"]


@dataclass(frozen=True)
class Endpoint:
    """One address of the server."""

    path: str
    handler: Any
    summary: str
    media: tuple[str, ...] = ("application/json",)
    query: tuple[tuple[str, str, str], ...] = ()
    """(name, JSON type, meaning) of each parameter of the query."""
    open: bool = False
    """Whether it answers without a token."""
    methods: tuple[str, ...] = ("GET",)


def openapi(endpoints: Iterable[Endpoint], *, secured: bool) -> dict[str, Any]:
    """The description, OpenAPI 3.1.

    Parameters
    ----------
    endpoints : of the server.
    secured : whether tokens are needed.
    """
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        names = [part[1:-1].split(":")[0] for part in endpoint.path.replace(".", "/").split("/") if part[:1] == "{"]
        parameters: list[dict[str, Any]] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": {"type": kind}, "description": meaning}
            for name, kind, meaning in endpoint.query
        ]
        answers = {"200": {"description": "the answer", "content": {media: {} for media in endpoint.media}}}
        operation: dict[str, Any] = {
            "summary": endpoint.summary,
            "parameters": parameters,
            "responses": {
                **answers,
                "default": {"description": "an error: code and message", "content": {"application/json": {}}},
            },
            **({"security": []} if endpoint.open else {}),
        }
        shown = endpoint.path.replace(":path}", "}")
        paths.setdefault(shown, {}).update({method.lower(): operation for method in endpoint.methods})
    return {
        "openapi": "3.1.0",
        "info": {"title": "neuralgraph collection", "version": VERSION},
        "paths": paths,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        **({"security": [{"bearer": []}]} if secured else {}),
    }
