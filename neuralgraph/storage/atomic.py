"""Files are written aside and renamed: at any moment the target is absent, old and whole, or new and whole.

Also what a folder of outputs needs, and files that their owner alone may read.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from neuralgraph.access.places import looks_like_url, place_name
from neuralgraph.errors import OutputError

__all__ = ["atomic_file", "check_writable", "make_folder", "owner_only", "partial_prefix", "refuse_url"]


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a target that cannot be created, before any work is spent on it.

    Raises
    ------
    OutputError (E_OUTPUT) : the folder does not exist or cannot be written to, or the target is a folder or has no
        possible name.
    """
    refuse_url(path)
    if os.path.isdir(path):
        raise OutputError("the output is a folder, give a file name", code="E_OUTPUT", where=str(path))
    try:
        os.stat(path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise OutputError(f"cannot create the output ({_reason(error)})", code="E_OUTPUT", where=str(path)) from error
    folder = _target(path).parent
    if not os.path.isdir(folder):
        raise OutputError("the folder of the output does not exist, create it first", code="E_OUTPUT", where=str(path))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError("no permission to write in the folder of the output", code="E_OUTPUT", where=str(path))


def make_folder(
    folder: str | os.PathLike[str], *, where: str | os.PathLike[str] | None = None, mode: int = 0o777
) -> None:
    """Make the folder of outputs, and those above it; harmless where it is there.

    Parameters
    ----------
    folder : the folder.
    where : how the error names it; None is by its path.
    mode : of what is made, before the umask.

    Raises
    ------
    OutputError (E_OUTPUT) : it cannot be made.
    """
    try:
        Path(folder).mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        named = str(folder if where is None else where)
        raise OutputError(f"cannot create the folder ({error.strerror})", code="E_OUTPUT", where=named) from error


def owner_only(stream: BinaryIO) -> None:
    """Let nobody else read an open file. Windows has no such bits: there the folder decides."""
    if hasattr(os, "fchmod"):
        os.fchmod(stream.fileno(), 0o600)


def refuse_url(path: str | os.PathLike[str]) -> None:
    """Refuse a URL as the place of an output: it would become a folder called like its scheme.

    Raises
    ------
    OutputError (E_OUTPUT) : it is one.
    """
    if looks_like_url(path):
        # A path writes "//" as one stroke; what may be keys is not named.
        scheme, _, rest = os.fspath(path).partition(":")
        reason = "files are written on this machine; write here and copy it to the URL, for example with fsspec"
        raise OutputError(reason, code="E_OUTPUT", where=place_name(f"{scheme}://{rest.lstrip('/')}"))


def partial_prefix(name: str) -> str:
    """How the names of files begin that are written aside for a target of this name, in the target's folder.

    They end in ``.partial``. Whoever owns the target may delete what a killed process left; the prefix has one length
    for every name, so that a target may have the longest name its folder allows.
    """
    return f".ngr-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}-"


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary stream whose content appears at ``path`` when the block ends without an exception.

    A link stays, and what it leads to is written. The bytes are flushed to disk before the rename, and the folder after
    it, so that a power cut leaves the old file or the new one. On an exception, which passes unchanged, nothing is left
    behind; a process killed outright may leave a hidden file ending in ``.partial`` beside the target, never a partial
    target.

    Raises
    ------
    OutputError (E_OUTPUT) : the place cannot be written to.
    OutputError (E_WRITE) : writing failed on the way, for example because the disk is full.
    """
    check_writable(path)
    target = _target(path)
    aside = target.with_name(f"{partial_prefix(target.name)}{os.getpid()}-{os.urandom(4).hex()}.partial")
    try:
        stream = _Aside(aside, str(path))
    except OSError as error:
        raise OutputError(f"cannot create the output ({_reason(error)})", code="E_OUTPUT", where=str(path)) from error
    try:
        yield cast(BinaryIO, stream)
        stream.finish()
        try:
            os.replace(aside, target)
            _sync_folder(target.parent)
        except (OSError, ValueError) as error:
            raise _failed(error, str(path)) from error
    except BaseException:
        stream.abandon()
        aside.unlink(missing_ok=True)
        raise


class _Aside(io.BufferedWriter):
    """The file written aside; its own failures, and only those, are failures to write the output."""

    def __init__(self, aside: Path, where: str) -> None:
        super().__init__(io.FileIO(aside, "xb"), buffer_size=1 << 18)
        self._where = where

    def write(self, data: object) -> int:
        """Append ``data``."""
        try:
            return super().write(cast(bytes, data))
        except OSError as error:
            raise _failed(error, self._where) from error

    def finish(self) -> None:
        """Bring everything to the disk and close."""
        try:
            self.flush()
            os.fsync(self.fileno())
            self.close()
        except OSError as error:
            raise _failed(error, self._where) from error

    def abandon(self) -> None:
        """Close without caring for what is not written yet."""
        self.raw.close()


def _target(path: str | os.PathLike[str]) -> Path:
    """What is written: where a link leads, because renaming over it would take it away."""
    return Path(os.path.realpath(path) if os.path.islink(path) else path)


def _failed(error: OSError | ValueError, where: str) -> OutputError:
    return OutputError(f"writing the output failed ({_reason(error)})", code="E_WRITE", where=where)


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
