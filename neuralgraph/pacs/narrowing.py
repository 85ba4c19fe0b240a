"""A search asked again in parts, to learn whether the server keeps results back.

Some servers end every search after so many results, whatever offset is asked for (Orthanc's LimitFindResults), or give
the first page again and again. No paging shows that. So the search is asked for the earlier and for the later half of
the days it brought, or of the hours of one day: a server that keeps something back then gives more, for one half at
least holds fewer than it would give. Where the halves bring nothing new, there is nothing more; where they do, each
half is asked in halves in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from neuralgraph.errors import SourceError
from neuralgraph.pacs.listing import Listing

__all__ = ["every_result"]

_CAPPED = (
    "the server ends a search after so many results, whatever is asked for: studies without a date may be missing; "
    "raise its limit (Orthanc: LimitFindResults)"
)
_IN_PARTS = "the server ends a search after so many results, whatever is asked for: it was searched day by day"
_DATE, _TIME = "00080020", "00080030"

Search = Callable[[Mapping[str, str]], Listing]
Value = Callable[[Mapping[str, Any], str], str]


class _Span(NamedTuple):
    """Days from the first to the last, and hours of one day; None has no end."""

    first: date | None = None
    last: date | None = None
    hours: tuple[str, str] = ("0000", "2359")

    def filters(self) -> dict[str, str]:
        """The span in words of a search (PS3.4 C.2.2.2.5)."""
        if self.first is None and self.last is None:
            return {}
        ends = [day.strftime("%Y%m%d") if day is not None else "" for day in (self.first, self.last)]
        asked = {"StudyDate": ends[0] if ends[0] == ends[1] else "-".join(ends)}
        if self.hours != ("0000", "2359"):
            asked["StudyTime"] = f"{self.hours[0]}00-{self.hours[1]}59"
        return asked


def every_result(
    search: Search, filters: Mapping[str, str], key: Callable[[dict[str, Any]], Hashable], value: Value
) -> Listing:
    """Everything a search finds, as far as it can be had, and a doubt where it may not be all.

    Parameters
    ----------
    search : gives what paging finds for filters.
    filters : of the search; of a StudyDate that is neither a day nor a range no parts are asked for.
    key : what tells one result from another.
    value : text of an element of a result, "" where there is none.

    Raises
    ------
    SourceError : the search cannot be had. Parts that cannot be had prove nothing.
    """
    found = search(filters)
    try:
        span = _span(filters.get("StudyDate", ""))
    except ValueError:
        return found
    parts = _Parts(search, filters, key, value, {key(row): row for row in found.rows})
    try:
        proven = parts.prove(found, span)
    except SourceError:
        return found
    undated = any(not value(row, _DATE) for row in parts.known.values())
    doubt = "" if proven and not undated else found.doubt
    if parts.grown and undated:
        doubt = _CAPPED
    note = _IN_PARTS if parts.grown else found.note
    return Listing(list(parts.known.values()), doubt or parts.doubt, note)


@dataclass
class _Parts:
    search: Search
    filters: Mapping[str, str]
    key: Callable[[dict[str, Any]], Hashable]
    value: Value
    known: dict[Hashable, dict[str, Any]]
    grown: bool = False
    """The server has kept something back."""
    doubt: str = ""
    _asked: set[_Span] = field(default_factory=set)

    def prove(self, found: Listing, span: _Span) -> bool:
        """Ask a span in parts, as long as they bring more; whether that could be done."""
        spans = list(self._halves(found, span))
        if not spans:
            return False
        listings = [self.search({**self.filters, **part.filters()}) for part in spans]
        before = len(self.known)
        for listing in listings:
            for row in listing.rows:
                self.known.setdefault(self.key(row), row)
        if len(self.known) == before:
            return True
        self.grown = True
        for listing, part in zip(listings, spans, strict=True):
            # A part with fewer than two results has nothing to cut.
            if not self.prove(listing, part) and listing.doubt:
                self.doubt = listing.doubt
        return True

    def _halves(self, found: Listing, span: _Span) -> Iterator[_Span]:
        days = sorted({day for row in found.rows if (day := _day(self.value(row, _DATE))) is not None})
        if len(found.rows) < 2 or not days:
            return
        if span.first == span.last and span.first is not None:
            yield from self._hours(found, span)
        elif len(days) > 1:
            cut = days[(len(days) - 1) // 2]
            yield span._replace(last=cut)
            yield span._replace(first=cut + timedelta(days=1))
        else:
            (day,) = days
            hours = list(self._hours(found, span._replace(first=day, last=day)))
            if not hours:
                return
            if span.first is None or span.first < day:
                yield span._replace(last=day - timedelta(days=1))
            yield from hours
            if span.last is None or span.last > day:
                yield span._replace(first=day + timedelta(days=1))

    def _hours(self, found: Listing, span: _Span) -> Iterator[_Span]:
        times = (self.value(row, _TIME)[:4] for row in found.rows)
        minutes = sorted({time for time in times if len(time) == 4 and time.isdecimal() and "0000" <= time <= "2359"})
        if len(minutes) < 2:
            return
        cut = minutes[(len(minutes) - 1) // 2]
        yield span._replace(hours=(span.hours[0], cut))
        yield span._replace(hours=(_next_minute(cut), span.hours[1]))


def _next_minute(time: str) -> str:
    after = int(time[:2]) * 60 + int(time[2:]) + 1
    return f"{after // 60:02d}{after % 60:02d}"


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])) if len(text) == 8 and text.isdecimal() else None
    except ValueError:
        return None


def _span(text: str) -> _Span:
    """The days of a StudyDate to search for.

    Raises
    ------
    ValueError : neither a day nor a range.
    """
    first, separator, last = text.partition("-")
    last = last if separator else first
    span = _Span(_day(first), _day(last))
    if (first and span.first is None) or (last and span.last is None):
        raise ValueError("not a range of days")
    return span
