"""A collection served over HTTP, to be read: an ASGI application and a page to look at studies.

The extra ``serve`` brings starlette and uvicorn. ``application`` makes the application, ``ngr serve`` runs it.
"""

from neuralgraph.errors import missing_extra

try:
    import starlette  # noqa: F401  the extra is named before anything below needs it
except ImportError as error:
    raise missing_extra("serving a collection", extra="serve", library=error.name or "starlette") from error

from neuralgraph.serving.application import application
from neuralgraph.serving.tokens import Tokens

__all__ = ["Tokens", "application"]
