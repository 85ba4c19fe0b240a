"""What a reader accepts before it takes memory (FORMAT.md section 9).

``Limits()`` holds the defaults; a caller may raise any of them, up to the hard bounds of the format.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from neuralgraph.errors import LimitError

__all__ = ["HARD_LIMITS", "MAX_ID_BYTES", "MAX_INTEGER", "Limits", "checked_product"]

MAX_INTEGER = 2**53 - 1
"""Largest integer any field or product may reach, so that every language can hold it exactly."""

MAX_ID_BYTES = 128
"""Longest study id, UTF-8 bytes."""

HARD_LIMITS: dict[str, int] = {
    "file_bytes": 2**48,
    "records": 2**22,
    "toc_bytes": 2**24,
    "sections": 256,
    "streams": 256,
    "record_bytes": 2**28,
    "decoded_bytes": 2**30,
    "views": 255,
    "cells": 2**20,
    "patches": 2**20,
    "embedding_dim": 65_535,
    "edges": 2**22,
    "concepts": 2**20,
    "mentions": 2**20,
    "triples": 2**22,
    "labels": 4_096,
    "text_bytes": 2**26,
}
"""Bounds of the format itself: a file beyond one of these is never valid."""


@dataclass(frozen=True)
class Limits:
    """Bounds a reader keeps to; every default is far above what a chest study needs.

    Raises
    ------
    LimitError (E_LIMIT) : a value is below 1 or above the hard bound of the format.
    """

    file_bytes: int = 2**36
    """Size of a file, bytes."""
    records: int = 2**22
    """Studies in one file."""
    toc_bytes: int = 2**22
    """Size of the table of contents, bytes."""
    sections: int = 64
    """Sections of a file."""
    streams: int = 32
    """Streams of a record."""
    record_bytes: int = 2**24
    """Stored size of a record, bytes."""
    decoded_bytes: int = 2**26
    """Decoded size of all streams of a record, bytes."""
    views: int = 16
    """Films of a study."""
    cells: int = 2**20
    """Grid cells of a study, all views together."""
    patches: int = 2**16
    """Kept patches of a study."""
    embedding_dim: int = 8_192
    """Width of an embedding."""
    edges: int = 2**18
    """Edges between patches."""
    concepts: int = 65_535
    """Concepts of the report graph."""
    mentions: int = 65_535
    """Further places of the report that say one of the concepts."""
    triples: int = 2**18
    """Triples of the report graph."""
    labels: int = 1_024
    """Labels of a study."""
    text_bytes: int = 2**22
    """Bytes of all strings of a study."""

    def __post_init__(self) -> None:
        """Refuse limits outside the format's own bounds."""
        for field in fields(self):
            value, bound = getattr(self, field.name), HARD_LIMITS[field.name]
            if not 1 <= value <= bound:
                raise LimitError(
                    f"{field.name} must be between 1 and {bound}, got {value}", code="E_LIMIT", where=field.name
                )

    def check(self, name: str, value: int, *, where: str) -> None:
        """Refuse ``value`` when it is above the limit ``name``.

        Raises
        ------
        LimitError (E_LIMIT) : the value is above the limit.
        """
        limit = getattr(self, name)
        if value > limit:
            raise LimitError(f"{name} is {value}, the limit is {limit}", code="E_LIMIT", where=where)


def checked_product(*factors: int, where: str) -> int:
    """Product of counts, refused beyond ``MAX_INTEGER``.

    Raises
    ------
    LimitError (E_OVERFLOW) : the product exceeds 2^53 - 1.
    """
    product = 1
    for factor in factors:
        product *= factor
    if product > MAX_INTEGER:
        raise LimitError("a product of counts exceeds 2^53 - 1", code="E_OVERFLOW", where=where)
    return product
