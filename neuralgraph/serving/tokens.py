"""Who may read: whoever shows a bearer token, or a cookie that was given for one."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path

from neuralgraph.errors import SourceError
from neuralgraph.sources.files import read_whole_file

__all__ = ["Tokens"]

SHORTEST = 16
_MOST_BYTES = 1 << 20


class Tokens:
    """The tokens of a server; none at all lets everybody in who can reach it.

    Parameters
    ----------
    tokens : at least 16 characters each.

    Raises
    ------
    SourceError (E_SOURCE_CONTENT) : one is too short to be a secret.
    """

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._tokens = [token.encode() for token in tokens]
        if any(len(token) < SHORTEST for token in self._tokens):
            raise SourceError(f"a token needs at least {SHORTEST} characters", code="E_SOURCE_CONTENT", where="token")
        self._key = secrets.token_bytes(32)

    @classmethod
    def read(cls, path: Path) -> Tokens:
        """The tokens of a file, one a line; lines that begin with # are remarks.

        Raises
        ------
        SourceError (E_SOURCE_READ, E_SOURCE_TEXT, E_SOURCE_CONTENT) : it cannot be read, or holds no token.
        """
        try:
            text = read_whole_file(path, max_bytes=_MOST_BYTES).decode()
        except UnicodeDecodeError as error:
            raise SourceError("the file of tokens is not UTF-8", code="E_SOURCE_TEXT", where=str(path)) from error
        tokens = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        if not tokens:
            raise SourceError("the file holds no token", code="E_SOURCE_CONTENT", where=str(path))
        return cls(tokens)

    @property
    def needed(self) -> bool:
        """Whether there are any."""
        return bool(self._tokens)

    def accepts(self, authorization: str | None) -> bool:
        """Whether a header ``Authorization`` shows a token; in the same time whatever it shows."""
        kind, _, shown = (authorization or "").partition(" ")
        given = shown.strip().encode(errors="surrogateescape")
        found = [hmac.compare_digest(given, token) for token in self._tokens]
        return kind.lower() == "bearer" and any(found)

    def cookie(self) -> str:
        """A value that stands for a token until the server ends."""
        return hmac.digest(self._key, b"session", hashlib.sha256).hex()

    def accepts_cookie(self, value: str | None) -> bool:
        """Whether a value is the one of ``cookie``."""
        return value is not None and hmac.compare_digest(value.encode(), self.cookie().encode())
