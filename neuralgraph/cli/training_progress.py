"""What a training run shows while it runs: rate and time left from its first minute to its last."""

from __future__ import annotations

import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from neuralgraph.cli.output import note

__all__ = ["Pace", "shown", "stopped_by_signals"]

Progress = Callable[[int, int, dict[str, float]], None]
_EVERY = 15.0
"""Seconds between plain lines."""
_KEPT = 50
_FIRST = 5
"""Updates after which the time that a part takes is told: the first ones are slower."""


class Pace:
    """Rate and time left of one part of a run.

    Pauses, as for a validation, count: they come again. So the rate is that of the last updates and of the part as a
    whole, whichever is slower.

    Parameters
    ----------
    clock : seconds, rising.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: deque[tuple[float, int]] = deque(maxlen=_KEPT)
        self._begun = (clock(), 0)
        self._last = 0

    def step(self, done: int, total: int) -> tuple[float, float]:
        """Updates per second and seconds left, after ``done`` of ``total``; a lower ``done`` begins a new part."""
        now = self._clock()
        if done < self._last or not self._last:
            self._times.clear()
            # What ran before this process, in a run that is continued, is not its pace.
            self._begun = (now, done)
        self._last = done
        self._times.append((now, done))
        rates = [
            (done - count) / (now - begun)
            for begun, count in (self._times[0], self._begun)
            if now > begun and done > count
        ]
        rate = min(rates, default=0.0)
        return rate, (total - done) / rate if rate else 0.0


@contextmanager
def shown(seen: Callable[[str], None] = note) -> Iterator[Progress]:
    """A bar on stderr where that is a terminal, else a plain line every quarter of a minute."""
    pace = Pace()
    if not sys.stderr.isatty():
        yield _plain(pace, seen)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("preparing", total=None, left="")

        def advance(done: int, total: int, losses: dict[str, float]) -> None:
            rate, left = pace.step(done, total)
            bar.update(
                task, completed=done, total=total, description=_told(losses) or "preparing", left=_left(rate, left)
            )

        yield advance


def _plain(pace: Pace, seen: Callable[[str], None]) -> Progress:
    last = [0.0, 0]

    def advance(done: int, total: int, losses: dict[str, float]) -> None:
        rate, left = pace.step(done, total)
        now = time.monotonic()
        begins = done < last[1] or not last[1]
        if begins:
            last[0] = now
        last[1] = done
        if done == total or done == min(_FIRST, total) or now - last[0] >= _EVERY:
            last[0] = now
            what = _told(losses)
            seen(f"{done:,} of {total:,}{', ' + _left(rate, left) if rate else ''}{': ' + what if what else ''}")

    return advance


@contextmanager
def stopped_by_signals() -> Iterator[Callable[[], bool]]:
    """While it lasts, SIGINT and SIGTERM only ask to stop; a second one stops at once. Yields the question."""
    asked = [False]

    def ask(number: int, frame: FrameType | None) -> None:
        if asked[0]:
            signal.default_int_handler(number, frame)
        asked[0] = True
        note("stopping after this update, with a checkpoint; once more to stop at once")

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


def _told(losses: dict[str, float]) -> str:
    return " ".join(f"{name.replace('_', ' ').removeprefix('eval ')} {value:.3f}" for name, value in losses.items())


def _left(rate: float, seconds: float) -> str:
    if not rate:
        return ""
    pace = f"{rate:.1f} a second" if rate >= 1 else f"{1 / rate:.1f} s each"
    minutes = seconds / 60
    left = f"{seconds:.0f} s" if minutes < 1.5 else f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
    return f"{pace}, about {left} left"
