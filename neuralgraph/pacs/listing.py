"""All that a search finds, page by page, and whether it can be all (QIDO-RS; PS3.18 section 10.6).

A server may give fewer results at a time than it is asked for, without saying so: only a page that brings nothing new
is the last. Some ignore the offset, count it in pages, or lose their place between two requests. So each page is asked
for with the last result of the one before: where that comes first, nothing lies between them. What a server says of the
number of results (header X-Total-Count, or a Warning that more can be asked for) is held against what came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from neuralgraph.errors import SourceError

__all__ = ["AT_ONCE", "GAP", "IGNORED", "Listing", "Page", "all_results", "stated_total"]

PAGE = 500
"""Results asked for at a time."""

IGNORED = (
    "the server ignores the offset: what comes after its first page cannot be asked for; search fewer days at a time"
)
AT_ONCE = "the server ignores offset and limit, and gives everything at once"
GAP = "pages of the search do not join: results may lie between them; run again, or search fewer days at a time"

_MOST_RESULTS = 10_000_000
_MORE = re.compile(r"(\d+)\s+additional\s+results?", re.IGNORECASE)


class Page(NamedTuple):
    """One answer."""

    rows: list[dict[str, Any]]
    total: int | None = None
    """Results in all, where the server says it."""


@dataclass
class Listing:
    """What a search found."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """Each once, in the order they came."""
    doubt: str = ""
    """Why it may not be all; "" where there is no reason to think so."""
    note: str = ""
    """What is odd about the server, and cost nothing."""


def stated_total(headers: Mapping[str, str], end: int) -> int | None:
    """Results in all, as an answer that ends before result number ``end`` says it; None where it does not."""
    text = headers.get("x-total-count", "").strip()
    if text.isdecimal():
        return int(text)
    more = _MORE.search(headers.get("warning", ""))
    return end + int(more[1]) if more else None


def all_results(ask: Callable[[int, int], Page], key: Callable[[dict[str, Any]], Hashable]) -> Listing:
    """Everything a search finds.

    Parameters
    ----------
    ask : gives the page of (offset, limit).
    key : what tells one result from another.

    Raises
    ------
    SourceError : the first page cannot be had, or there is no end. Later pages that cannot be had leave a doubt.
    """
    return _Search(ask, key).run()


class _Search:
    def __init__(self, ask: Callable[[int, int], Page], key: Callable[[dict[str, Any]], Hashable]) -> None:
        self._ask, self._key = ask, key
        self._found = Listing()
        self._place: dict[Hashable, int] = {}
        """Position in ``_found`` by key."""
        self._total: int | None = None
        self._twice = 0
        """Results that stood twice on one page."""

    def run(self) -> Listing:
        first, _ = self._next(0)
        try:
            if len(set(first)) == 1:
                self._one_by_one(len(first))
            elif first:
                self._joined(len(first))
        except SourceError as error:
            self._found.doubt = f"the search broke off: {error.message}"
        came = len(self._found.rows) + self._twice
        if not self._found.doubt and self._total is not None and came < self._total:
            self._found.doubt = f"the server says that there are {self._total:,}, and {came:,} came"
        return self._found

    def _next(self, offset: int, limit: int | None = None) -> tuple[list[Hashable], int]:
        """The keys of a page, and how many of its results were known before; the others are kept."""
        answer = self._ask(offset, limit or PAGE)
        if answer.total is not None:
            self._total = max(answer.total, self._total or 0)
        before = len(self._place)
        keys = [self._key(row) for row in answer.rows]
        for key, row in zip(keys, answer.rows, strict=True):
            if key not in self._place:
                self._place[key] = len(self._found.rows)
                self._found.rows.append(row)
        if len(self._place) > _MOST_RESULTS:
            raise SourceError("the search has no end", code="E_SOURCE_SIZE")
        fresh = len(self._place) - before
        self._twice += len(keys) - len(set(keys)) if fresh else 0
        return keys, fresh

    def _joined(self, came: int) -> None:
        """Ask on after ``came`` results, each time from the last of them."""
        while True:
            known = len(self._place)
            keys, fresh = self._next(came - 1)
            joins = bool(keys) and self._place[keys[0]] < known
            if not fresh:
                # The last one again, behind what was added meanwhile: the end. The first again: it began anew.
                at_end = bool(keys) and self._place[keys[-1]] == known - 1 and self._place[keys[0]] != 0
                if not at_end:
                    self._apart(came, again=bool(keys))
                return
            if not joins:
                self._found.doubt = GAP
            came += len(keys) - joins

    def _apart(self, came: int, *, again: bool) -> None:
        """Ask on without the last one: with it, nothing new came where at least itself should have come.

        ``again`` says that known results came then, from another place: perhaps of an offset rounded to whole pages.
        """
        keys, fresh = self._next(came)
        if fresh:
            while fresh:
                came += len(keys)
                keys, fresh = self._next(came)
            at_end = not keys or self._place[keys[-1]] == len(self._place) - 1
            if not (at_end and again):
                self._found.doubt = GAP
        elif not keys:
            self._by_pages()
        elif len(self._next(0, 1)[0]) <= 1:
            self._found.doubt = IGNORED
        else:
            self._found.note = AT_ONCE

    def _by_pages(self) -> None:
        """There is nothing after the last one, and it was not given again: perhaps the offset counts pages."""
        number = 1
        keys, fresh = self._next(number)
        if keys and not fresh:
            self._found.doubt = GAP
        while fresh:
            number += 1
            keys, fresh = self._next(number)

    def _one_by_one(self, came: int) -> None:
        """The first page had one result: there is nothing more, or that is all a page ever has."""
        while True:
            keys, fresh = self._next(came)
            if not fresh:
                return
            came += len(keys)
