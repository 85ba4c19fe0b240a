"""A collection served over HTTP, to be read: an ASGI application and a page to look at studies.

The extra ``serve`` brings starlette and uvicorn. ``application`` makes the application, ``ngr serve`` runs it.

- ``application``: the ASGI application: addresses, tokens, errors as codes, numbers for Prometheus
- ``description``: the OpenAPI description of a server: what the table of its endpoints says, and nothing else
- ``metrics``: numbers for Prometheus, in its text format; they name no study and no question
- ``state``: what a server has open: the newest state of a collection, looked for anew every second
- ``studies``: what is served of a collection
- ``tokens``: who may read: whoever shows a bearer token, or a cookie that was given for one
"""

from neuralgraph.errors import missing_extra

try:
    import starlette  # noqa: F401  the extra is named before anything below needs it
except ImportError as error:
    raise missing_extra("serving a collection", extra="serve", library=error.name or "starlette") from error

from neuralgraph.serving.application import application
from neuralgraph.serving.tokens import Tokens

__all__ = ["Tokens", "application"]
