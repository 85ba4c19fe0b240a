"""How far a long verb has come: a bar where stderr is a terminal, else a plain line every few seconds.

A line under nohup, cron, SLURM or Docker says what is done, how fast, and how long it will take; where nothing was done
for a while it says that too, so that a run that hangs does not look like one that works::

    ngr: convert: 1,200 of 5,000 studies, 3 failed, 4.1/s, 15 min 27 s left
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from neuralgraph.cli.output import note

__all__ = ["Meter", "duration", "meter"]

_EVERY = 3.0
"""Seconds between lines."""
_QUIET = 15.0
"""Seconds without anything done after which a line says so."""
_WINDOW = 20
"""Lines back from which the rate is taken: about the last minute, so that a fast beginning is forgotten."""


class Meter(Protocol):
    """Told by a verb what it has done."""

    def __call__(self, done: int = 1, *, failed: int = 0, text: str = "") -> None:
        """So many more are done, so many of them failed; ``text`` is shown beside the numbers."""

    def at(self, done: int, total: int, text: str = "") -> None:
        """So many are done in all, of so many; another total, or fewer, begins another part of the work."""


def duration(seconds: float) -> str:
    """A length of time in its two largest units: "2 min 45 s", "3 h 20 min", "2 days 3 h"."""
    whole = max(0, round(seconds))
    for size, unit, small, below in ((86400, "days", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            unit = "day" if unit == "days" and whole // size == 1 else unit
            return f"{whole // size} {unit} {rest} {below}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def _speed(rate: float) -> str:
    if rate < 0.1:
        return f"{rate * 3600:.0f}/h"
    return f"{rate:,.0f}/s" if rate >= 100 else f"{rate:.1f}/s"


@contextmanager
def meter(
    verb: str, total: int | None = None, *, unit: str = "studies", every: float = _EVERY, last: bool = False
) -> Iterator[Meter]:
    """Show how far ``verb`` is while the block runs.

    Parameters
    ----------
    verb : what lines begin with.
    total : how many there are; None where that is not known.
    unit : what is counted.
    every : seconds between lines.
    last : say a line at the end too, where lines are said; for verbs whose last numbers are told nowhere else.
    """
    if sys.stderr.isatty():
        with _bar(verb, total) as bar:
            yield bar
        return
    lines = _Lines(verb, total, unit, every)
    lines.thread.start()
    try:
        yield lines
    finally:
        lines.stopped.set()
        lines.thread.join()
        if last:
            note(lines.line())


class _Lines:
    """Counts, and a thread that says them: a step that takes long must not silence it."""

    def __init__(self, verb: str, total: int | None, unit: str, every: float) -> None:
        self._verb, self._unit, self._every = verb, unit, every
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._begin(total, 0)

    def _begin(self, total: int | None, done: int) -> None:
        now = time.monotonic()
        self._total, self._done, self._failed, self._text = total, done, 0, ""
        self._last = now
        self._samples: deque[tuple[float, int]] = deque([(now, done)], _WINDOW)

    def __call__(self, done: int = 1, *, failed: int = 0, text: str = "") -> None:
        with self._lock:
            self._done += done
            self._failed += failed
            self._text = text or self._text
            self._last = time.monotonic()

    def at(self, done: int, total: int, text: str = "") -> None:
        with self._lock:
            if total != self._total or done < self._done:
                self._begin(total, 0)
            if done != self._done or (text and text != self._text):
                self._last = time.monotonic()
            self._done, self._text = done, text or self._text

    def _run(self) -> None:
        while not self.stopped.wait(self._every):
            note(self.line())

    def line(self) -> str:
        """What is said now."""
        with self._lock:
            now = time.monotonic()
            began, before = self._samples[0]
            rate = (self._done - before) / (now - began) if now > began else 0.0
            self._samples.append((now, self._done))
            of = f" of {self._total:,}" if self._total is not None else ""
            parts = [f"{self._done:,}{of} {self._unit}"]
            if self._failed:
                parts.append(f"{self._failed:,} failed")
            if rate:
                parts.append(_speed(rate))
            if rate and self._total is not None:
                parts.append(f"{duration(max(0, self._total - self._done) / rate)} left")
            if now - self._last > _QUIET:
                parts.append(f"nothing new for {duration(now - self._last)}")
            if self._text:
                parts.append(self._text)
        return f"{self._verb}: {', '.join(parts)}"


@contextmanager
def _bar(verb: str, total: int | None) -> Iterator[Meter]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield _Bar(bar, verb, total)


class _Bar:
    """The counts as a bar of rich."""

    def __init__(self, bar: Any, verb: str, total: int | None) -> None:
        self._bar, self._verb, self._failed = bar, verb, 0
        self._task = bar.add_task(verb, total=total, rate="")

    def __call__(self, done: int = 1, *, failed: int = 0, text: str = "") -> None:
        self._failed += failed
        speed = self._bar.tasks[0].speed
        said = [self._verb, f"{self._failed:,} failed" if self._failed else "", text]
        self._bar.update(
            self._task,
            advance=done,
            description=", ".join(filter(None, said)),
            rate=f"{speed:.1f}/s" if speed else "",
        )

    def at(self, done: int, total: int, text: str = "") -> None:
        task = self._bar.tasks[0]
        if total != task.total or done < task.completed:
            self._bar.reset(self._task, total=total)
        description = f"{self._verb}, {text}" if text else self._verb
        self._bar.update(self._task, completed=done, description=description)
