"""One run at a time: a lock that lasts as long as the run and its workers.

On Linux and macOS the lock is the system's own (flock): workers inherit it, so that it outlives a run that is killed
until the last of them has gone. Windows hands no locks on; there the run alone holds it, through filelock, and its
workers end when the run does.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from neuralgraph.errors import OutputError, missing_extra

__all__ = ["RunLock"]

_PAUSE = 0.1


class RunLock:
    """A lock in a file.

    Parameters
    ----------
    path : the file; made when absent, and left there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._held: Any = None

    def take(self, patience: float) -> list[int]:
        """Take the lock; the descriptors that workers must inherit for it to last as long as they do.

        Parameters
        ----------
        patience : seconds to wait for whoever has it.

        Raises
        ------
        BlockingIOError : somebody else has it.
        OutputError (E_OUTPUT) : there can be no lock here.
        MissingExtraError (E_EXTRA) : on Windows, filelock is not installed.
        """
        try:
            return self._by_system(patience) if _has_flock() else self._by_library(patience)
        except BlockingIOError:
            self.let_go()
            raise
        except OSError as error:
            self.let_go()
            raise OutputError(
                f"the folder cannot be locked ({error.strerror})", code="E_OUTPUT", where=str(self._path.parent)
            ) from error

    def _by_system(self, patience: float) -> list[int]:
        import fcntl

        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return [self._descriptor]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)

    def _by_library(self, patience: float) -> list[int]:
        try:
            from filelock import FileLock, Timeout
        except ImportError as error:
            raise missing_extra("locking a folder on Windows", extra="bulk", library="filelock") from error
        self._held = FileLock(self._path, mode=0o600)
        try:
            self._held.acquire(timeout=patience, poll_interval=_PAUSE)
        except Timeout as error:
            raise BlockingIOError("somebody else has the lock") from error
        return []

    def let_go(self) -> None:
        """Release the lock; harmless when it is not held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._held is not None:
            self._held.release()
            self._held = None


def _has_flock() -> bool:
    return sys.platform != "win32"
