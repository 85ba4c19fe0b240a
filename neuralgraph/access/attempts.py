"""Trying again what may pass, within a time; and telling failures of a network apart."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["DELAYS", "ShortAnswerError", "attempted", "failures", "reason"]

DELAYS = (0.2, 0.4, 0.8, 1.6)
"""Seconds before each further attempt, where the server does not say how many."""

_LATER = (408, 425, 429)
_GIVES_UP = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    TimeoutError,
    KeyError,
    ValueError,
    NotImplementedError,
    zipfile.BadZipFile,
)
_FINAL = {"WrongBodyError", "InvalidURL", "RedirectClientError", "TooManyRedirects"}
"""Names of aiohttp's errors, and of our own there, that another attempt does not change."""
_Answer = TypeVar("_Answer")


class ShortAnswerError(Exception):
    """An answer of another length than was asked for."""


def failures() -> tuple[type[Exception], ...]:
    """Errors of reading that are met where a file lies in something else: behind a network, or in a container."""
    errors: tuple[type[Exception], ...] = (ShortAnswerError, OSError, KeyError, ValueError, EOFError)
    errors += (NotImplementedError, zipfile.BadZipFile)
    with suppress(ImportError):
        from aiohttp import ClientError

        errors += (ClientError,)
    with suppress(ImportError):
        from botocore.exceptions import BotoCoreError

        errors += (BotoCoreError,)
    return errors


def attempted(action: Callable[[float], _Answer], *, seconds: float, failed: tuple[type[Exception], ...]) -> _Answer:
    """What ``action`` gives, tried again after each failure that may pass.

    Parameters
    ----------
    action : takes the seconds that are left to it.
    seconds : time for all attempts together.
    failed : the errors of ``failures``; the last one is raised when time or patience is over, or when it will not pass.
    """
    end = time.monotonic() + seconds
    for delay in (*DELAYS, None):
        try:
            return action(max(0.001, end - time.monotonic()))
        except failed as error:
            if delay is None or not _may_pass(error):
                raise
            wait = _retry_after(error)
            wait = delay if wait is None else wait
            if time.monotonic() + wait >= end:
                raise
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def reason(error: Exception, seconds: float) -> str:
    """Why reading failed, without the text of a library's error, which may hold the whole URL with its keys."""
    if type(error).__name__ == "WrongBodyError":
        return str(error)
    status = _status(error)
    if status is not None:
        from http import HTTPStatus

        phrase = f" {HTTPStatus(status).phrase}" if status in {known.value for known in HTTPStatus} else ""
        wait = _retry_after(error)
        again = f"; the server asks to come back in {wait:.0f} s" if wait else ""
        return f"HTTP status {status}{phrase}{again}"
    if isinstance(error, TimeoutError):
        return f"no answer, or not all of it, within {seconds:g} s; give a longer timeout"
    if isinstance(error, FileNotFoundError | KeyError):
        return "there is no such file"
    return getattr(error, "strerror", None) or type(error).__name__


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help."""
    status = _status(error)
    if status is not None:
        return status in _LATER or status >= 500
    return not isinstance(error, _GIVES_UP) and _FINAL.isdisjoint(kind.__name__ for kind in type(error).__mro__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        yield current
        current = current.__cause__ or current.__context__


def _response(error: BaseException) -> Mapping[str, Any]:
    """What botocore notes of a response."""
    response = getattr(error, "response", None)
    noted = response.get("ResponseMetadata") if isinstance(response, Mapping) else None
    return noted if isinstance(noted, Mapping) else {}


def _status(error: Exception) -> int | None:
    """The HTTP status that the error came of, or None."""
    for cause in _causes(error):
        for status in (getattr(cause, "status", None), _response(cause).get("HTTPStatusCode")):
            if isinstance(status, int) and 100 <= status < 600:
                return status
    return None


def _retry_after(error: Exception) -> float | None:
    """Seconds after which the server wants to be asked again, or None."""
    for cause in _causes(error):
        for headers in (getattr(cause, "headers", None), _response(cause).get("HTTPHeaders")):
            text = headers.get("Retry-After", headers.get("retry-after")) if isinstance(headers, Mapping) else None
            if isinstance(text, str):
                return _seconds(text.strip())
    return None


def _seconds(text: str) -> float | None:
    if text.isdecimal() and len(text) < 10:
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
