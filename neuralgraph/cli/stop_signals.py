"""SIGINT and SIGTERM as a question that a long run asks itself, so that it can leave what it has."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from neuralgraph.cli.output import note

__all__ = ["asked_to_stop"]


@contextmanager
def asked_to_stop(after: str = "this update, with a checkpoint") -> Iterator[Callable[[], bool]]:
    """While it lasts, SIGINT and SIGTERM only ask to stop; a second SIGINT stops at once. Yields the question.

    Parameters
    ----------
    after : what is still done, as the person who asks is told.
    """
    asked = [False]

    def ask(number: int, frame: FrameType | None) -> None:
        if asked[0] and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        first, asked[0] = not asked[0], True
        if first:
            note(f"stopping after {after}; Ctrl-C once more stops at once")

    old: dict[int, Any] = {}
    try:
        for one in (signal.SIGINT, signal.SIGTERM):
            old[one] = signal.signal(one, ask)
    except ValueError:
        # Signals reach the main thread alone; elsewhere whoever runs this stops it in another way.
        pass
    try:
        yield lambda: asked[0]
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
