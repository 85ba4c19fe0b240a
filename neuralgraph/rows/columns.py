"""What tables there are and their columns; and pyarrow, which they are made of, from the extra ``catalog``."""

from __future__ import annotations

from typing import Any

from neuralgraph.errors import StudyError, missing_extra

__all__ = ["CONCEPT_FACTS", "LABEL", "STUDY_FACTS", "TABLES", "TRIPLE_FACTS", "arrow", "check_table"]

LABEL = "label."
"""Before the name of a label, in the name of its column."""

STUDY_FACTS: dict[str, type] = {
    "archive": str,
    "position": int,
    "study_id": str,
    "digest": str,
    "patient": str,
    "split": str,
    "views": int,
    "view_positions": str,
    "rows": int,
    "cols": int,
    "film_pixels": int,
    "cells": int,
    "patches": int,
    "retention": float,
    "embedding_dim": int,
    "bytes": int,
    "concepts": int,
    "triples": int,
    "mentions": int,
    "fused": bool,
    "report": str,
    "report_stored": bool,
    "pixels_stored": bool,
    "model": str,
    "model_digest": str,
    "model_trained": bool,
    "score": str,
    "prune": str,
    "extractor": str,
    "labeler": str,
    "terms": str,
    "film_format": str,
    "film_bits": int,
    "film_lossy": bool,
    "film_quality": str,
    "embedding_loss": float,
}
"""Columns of studies before the labels. ``rows``, ``cols`` and the facts of films are those of the first view;
``embedding_loss`` is the largest RMSE that its embedding was ever stored with, null when it was never stored with
loss."""

CONCEPT_FACTS: dict[str, type] = {
    "archive": str,
    "position": int,
    "number": int,
    "name": str,
    "kind": str,
    "polarity": str,
    "side": str,
    "section": str,
    "place": str,
    "report": str,
}
"""Columns of concepts: ``kind`` "anatomy" or "observation", ``polarity`` "present", "uncertain" or "absent", ``side``
"left", "right", "bilateral" or "", ``place`` the anatomy it is located at."""

TRIPLE_FACTS: dict[str, type] = {
    "archive": str,
    "position": int,
    "head": str,
    "relation": str,
    "tail": str,
    "report": str,
}
"""Columns of triples: names of the concepts, and the relation between them."""

TABLES: dict[str, dict[str, type]] = {
    "studies": STUDY_FACTS,
    "concepts": CONCEPT_FACTS,
    "triples": TRIPLE_FACTS,
}
"""The tables, and the columns each has in any case."""


def arrow() -> Any:
    """The module pyarrow.

    Raises
    ------
    MissingExtraError (E_EXTRA) : it is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise missing_extra("a table of studies", extra="catalog", library="pyarrow") from error
    return pyarrow


def check_table(name: str) -> None:
    """Refuse what is no table.

    Raises
    ------
    StudyError (E_IDX) : ``name`` is not one of ``TABLES``.
    """
    if name not in TABLES:
        raise StudyError(f"{name!r} is no table; use one of {', '.join(TABLES)}", code="E_IDX", where="table")
