"""One owner of a descriptor of the system: closed once, by the process that opened it, and never while it is read from.

The number of a descriptor means something in one process only, and only until it is closed: after that it is given to
the next file that anybody opens. So it is never copied, and it is not closed by a process that merely inherited it.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["FORK_LOCK", "Descriptor", "Identity", "identity"]

Identity: TypeAlias = tuple[int, int, int, int]
"""Device, inode, size and time of change of a file, as far as its file system has them."""


def identity(status: os.stat_result) -> Identity:
    """What tells a file from another one at the same path, and from itself after it was written to."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _Lock:
    """A lock that a forked process begins with free, whoever held it in the other one."""

    def __init__(self) -> None:
        self.free()

    def free(self) -> None:
        # Whatever is allocated inside may set off the collector, and that a finaliser that closes another file.
        self.lock = threading.RLock()


FORK_LOCK = _Lock()
"""For what happens once after a fork, and for counting."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=FORK_LOCK.free)


class _State:
    """What outlives the owner, so that the last step can be taken without it."""

    def __init__(self, number: int, who: Identity) -> None:
        self.number, self.identity, self.process = number, who, os.getpid()
        self.readers, self.ending = 0, False


class Descriptor:
    """A descriptor that a forked process opens again when it first needs it.

    Parameters
    ----------
    number, who : the descriptor, just opened, and the file's identity.
    """

    def __init__(self, number: int, who: Identity) -> None:
        self._state: _State | None = self._own(number, who)

    def _own(self, number: int, who: Identity) -> _State:
        state = _State(number, who)
        self._finalizer = weakref.finalize(self, _end, state)
        # The system closes what is open when a process ends; until then, threads may still read.
        self._finalizer.atexit = False
        return state

    def take(self, opening: Callable[[], tuple[int, Identity]]) -> int | None:
        """A number to read from, until ``give_back``; None when it has been closed.

        Parameters
        ----------
        opening : opens the file in a process that was forked; gives number and identity. Its errors pass.
        """
        with FORK_LOCK.lock:
            state = self._state
            if state is None or state.ending:
                return None
            if state.process != os.getpid():
                inherited, finalizer = state, self._finalizer
                state = self._state = self._own(*opening())
                finalizer.detach()
                _end(inherited)
            state.readers += 1
            return state.number

    def give_back(self) -> None:
        """The reader is done with what ``take`` gave."""
        with FORK_LOCK.lock:
            state = self._state
            assert state is not None, "taken before it is given back"
            state.readers -= 1
            if state.ending and not state.readers:
                _end(state)
                self._state = None

    def close(self) -> None:
        """Close it, as soon as nobody reads from it; harmless when it is not open."""
        with FORK_LOCK.lock:
            self._finalizer.detach()
            state = self._state
            if state is None:
                return
            if state.readers and state.process == os.getpid():
                state.ending = True
                return
            _end(state)
            self._state = None


def _end(state: _State) -> None:
    """Close the number, if it still is that file: programs that become a daemon close all numbers, and open others."""
    try:
        status = os.fstat(state.number)
    except OSError:
        return
    if (status.st_dev, status.st_ino) == state.identity[:2]:
        os.close(state.number)
