"""Pseudonyms: HMAC-SHA256 under a key, cut to 128 bits.

Whoever holds the key can tell which study of the source a pseudonym belongs to, by trying; nobody else can. The key
never goes into an output. A study is pseudonymised, not anonymous: the film itself can identify its patient.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from neuralgraph.errors import OutputError, SourceError
from neuralgraph.sources.files import read_whole_file

__all__ = ["KEY_BYTES", "Pseudonyms", "destination_key", "read_key"]

KEY_BYTES = 32
_SHORTEST_KEY = 16
_LONGEST_KEY = 4096
_BYTES = 16


class Pseudonyms:
    """Gives pseudonyms under one key.

    Parameters
    ----------
    key : at least 16 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, kind: str, value: str) -> str:
        """32 hex digits for a value; other kinds ("study", "patient") give other pseudonyms for the same value."""
        message = kind.encode() + b"\0" + value.encode(errors="surrogatepass")
        return hmac.digest(self._key, message, hashlib.sha256)[:_BYTES].hex()

    @property
    def fingerprint(self) -> str:
        """Tells keys apart without giving them away."""
        return self("key", "")


def read_key(path: str | os.PathLike[str]) -> bytes:
    """The key in a file, without line ends after it.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_EMPTY, E_SOURCE_SIZE) : not readable, or shorter than 16 bytes.
    """
    key = read_whole_file(path, max_bytes=_LONGEST_KEY).rstrip(b"\r\n")
    if len(key) < _SHORTEST_KEY:
        raise SourceError(
            f"the key has {len(key)} bytes; at least {_SHORTEST_KEY} are needed, 32 random ones are good",
            code="E_SOURCE_SIZE",
        )
    return key


def destination_key(path: Path) -> bytes:
    """The random key of a destination, made on the first call; several processes at once agree on one.

    Deleting it breaks the link between studies and their source for good, and with it the possibility to continue.

    Raises
    ------
    OutputError (E_WRITE) : it can be neither read nor made.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        if not path.exists():
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(descriptor, secrets.token_hex(KEY_BYTES).encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            try:
                # A link fails where a name exists: of several first processes one gives its key, the others take it.
                os.link(aside, path)
            except FileExistsError:
                pass
            finally:
                aside.unlink()
        key = path.read_bytes()
    except OSError as error:
        raise OutputError(f"the key of the destination cannot be kept ({error.strerror})", code="E_WRITE") from error
    if len(key) != 2 * KEY_BYTES:
        raise OutputError("the key of the destination is damaged; choose another folder", code="E_OUTPUT", where="key")
    return key
