"""What many films have in common: of every coding the median and the range, film by film.

A total is ruled by the largest films; a median with its range says what one film is likely to take, and how far that
can be off. Shares are formed for every film by itself first.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from neuralgraph.errors import StudyError
from neuralgraph.sizes.comparison import FilmSizes, Row

__all__ = ["CodingSummary", "Spread", "Summary", "summarise"]

SMALLEST = "smallest lossless"
"""Stands for the smallest lossless coding of every film, whichever that is."""


@dataclass(frozen=True)
class Spread:
    """Where the values of several films lie."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread | None:
        """Of the values that are known; None where none is."""
        known = [value for value in values if value is not None]
        return cls(statistics.median(known), min(known), max(known)) if known else None

    def record(self) -> dict[str, float]:
        """The three as plain data."""
        return {"median": self.median, "least": self.least, "most": self.most}


@dataclass(frozen=True, kw_only=True)
class CodingSummary:
    """One coding of several films."""

    coding: str
    kind: str
    """source, picture or ngr."""
    films: int
    """That have this coding; a coding need not be possible for all."""
    bytes: Spread
    share_of_source_file: Spread
    share_of_smallest_lossless: Spread
    lossless: bool
    bits: int | None
    """Of a sample as coded, where all films have the same."""
    psnr_db: Spread | None
    """Of the pictures that lost something."""
    embedding_rmse: Spread | None

    def record(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            name: value.record() if isinstance(value, Spread) else value
            for name, value in ((name, getattr(self, name)) for name in self.__dataclass_fields__)
        }


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Several films in every coding."""

    films: int
    smallest: dict[str, int]
    """Which coding was the smallest lossless one, and of how many films; the most frequent first."""
    patches: Spread
    retention: Spread
    reports: dict[str, int]
    """given, generated, and of how many films."""
    codings: tuple[CodingSummary, ...]

    @property
    def smallest_lossless(self) -> CodingSummary:
        """The smallest lossless coding of each film, taken together."""
        return next(row for row in self.codings if row.coding == SMALLEST)

    def coding(self, name: str) -> CodingSummary | None:
        """A coding by its name."""
        return next((row for row in self.codings if row.coding == name), None)

    def record(self) -> dict[str, Any]:
        """Everything as plain data."""
        return {
            "films": self.films,
            "smallest_lossless": self.smallest,
            "ngr": {
                "patches": self.patches.record(),
                "retention": self.retention.record(),
                "reports": self.reports,
                "is_image": False,
            },
            "codings": [row.record() for row in self.codings],
        }


def summarise(films: Sequence[FilmSizes]) -> Summary:
    """Median and range of every coding.

    Parameters
    ----------
    films : single films, at least one.

    Returns
    -------
    Summary : its codings stand in the order of the films' rows; "smallest lossless", behind the source file, is for
        every film the smallest of its lossless pictures.

    Raises
    ------
    StudyError (E_NUM) : no film is given.
    """
    if not films:
        raise StudyError("a summary needs at least one film", code="E_NUM", where="films")
    names = list(dict.fromkeys(row.coding for film in films for row in film.rows))
    rows = {name: [(film, row) for film in films for row in film.rows if row.coding == name] for name in names}
    first = {names[0]: rows.pop(names[0]), SMALLEST: [(film, film.smallest_lossless) for film in films]}
    patches, retention = (Spread.of(film.ngr[name] for film in films) for name in ("patches", "retention"))
    assert patches is not None
    assert retention is not None
    return Summary(
        films=len(films),
        smallest=dict(Counter(film.smallest_lossless.coding for film in films).most_common()),
        patches=patches,
        retention=retention,
        reports=dict(Counter(str(film.ngr["report"]) for film in films).most_common()),
        codings=tuple(_coding(name, found) for name, found in {**first, **rows}.items()),
    )


def _coding(name: str, rows: Sequence[tuple[FilmSizes, Row]]) -> CodingSummary:
    spreads = [
        Spread.of(values)
        for values in (
            [row.bytes for _, row in rows],
            [row.bytes / film.source_bytes for film, row in rows],
            [row.bytes / film.smallest_lossless.bytes for film, row in rows],
        )
    ]
    size, of_source, of_smallest = (spread for spread in spreads if spread is not None)
    bits = {row.bits for _, row in rows}
    return CodingSummary(
        coding=name,
        kind=rows[0][1].kind,
        films=len(rows),
        bytes=size,
        share_of_source_file=of_source,
        share_of_smallest_lossless=of_smallest,
        lossless=all(row.lossless for _, row in rows),
        bits=bits.pop() if len(bits) == 1 else None,
        psnr_db=Spread.of(row.psnr_db for _, row in rows),
        embedding_rmse=Spread.of(row.embedding_rmse for _, row in rows),
    )
