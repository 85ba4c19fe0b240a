"""One film in every coding, and the total of several; shares always against a named denominator.

There are two denominators: the file the film came in, and the smallest lossless coding of its samples that was
measured. A ``.ngr`` is no picture; its rows say how many patches it keeps and what the form does to embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from neuralgraph.errors import MissingExtraError, SourceError, StudyError, installing
from neuralgraph.sizes.pictures import PICTURE_CODINGS
from neuralgraph.storage.archive import load_bytes
from neuralgraph.storage.lossy import embedding_forms
from neuralgraph.storage.save import to_bytes

if TYPE_CHECKING:
    from neuralgraph.graph.study import Study
    from neuralgraph.sources.films.samples import Samples

__all__ = ["RATES", "FilmSizes", "Row", "embedding_settings", "measure_film", "total"]

RATES: dict[str, int] = {"64 kbit/s": 64_000, "256 kbit/s": 256_000, "2 Mbit/s": 2_000_000}
"""Bits a second of the lines that transfer times are given for; the bytes alone, without protocol and waiting."""

SVD_LOSSES = (0.005, 0.03, 0.06, 0.075, 0.12, 0.2, 0.3, 0.45, 0.6)
"""Losses of ``svd`` beside its own, 0.011."""

_SOURCE, _PICTURE, _NGR = "source", "picture", "ngr"


def embedding_settings() -> tuple[str, ...]:
    """Every value of ``embedding=`` that is measured."""
    return *embedding_forms(), *(f"svd:{loss:g}" for loss in SVD_LOSSES)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A film, or several, in one coding."""

    coding: str
    kind: str
    """source, picture or ngr."""
    bytes: int
    bits: int | None = None
    """Of a sample as coded; None for a .ngr, and for a total of films that differ."""
    lossless: bool = False
    """Every sample came back; never true of a .ngr, and of a source file only as far as its own samples go."""
    psnr_db: float | None = None
    """Of a picture that lost something; of several films the mean."""
    embedding_rmse: float | None = None
    """Of a .ngr: error of the stored embeddings, normalised by channel; 0 where none. Of several films the mean."""

    def seconds(self) -> dict[str, float]:
        """Time on each of the lines of ``RATES``."""
        return {name: 8 * self.bytes / rate for name, rate in RATES.items()}


@dataclass(frozen=True, kw_only=True)
class FilmSizes:
    """A film, or the total of several, in every coding."""

    films: int
    source: dict[str, Any]
    """format, height, width and bits of the samples; of several films only what they share."""
    ngr: dict[str, Any]
    """patches, cells and retention; report: given, generated or, of several films, mixed."""
    rows: tuple[Row, ...]
    absent: dict[str, str] = field(default_factory=dict)
    """Codings that were not measured, and why."""

    @property
    def source_bytes(self) -> int:
        """Of the files the films came in."""
        return next(row.bytes for row in self.rows if row.kind == _SOURCE)

    @property
    def smallest_lossless(self) -> Row:
        """The second denominator: the smallest picture that lost no sample."""
        return min((row for row in self.rows if row.kind == _PICTURE and row.lossless), key=lambda row: row.bytes)

    def record(self) -> dict[str, Any]:
        """Everything as plain data."""
        reference = self.smallest_lossless
        return {
            "films": self.films,
            "source": {**self.source, "bytes": self.source_bytes},
            "smallest_lossless": {"coding": reference.coding, "bytes": reference.bytes},
            "ngr": {**self.ngr, "is_image": False},
            "codings": [
                {
                    "coding": row.coding,
                    "kind": row.kind,
                    "bytes": row.bytes,
                    "share_of_source_file": row.bytes / self.source_bytes,
                    "share_of_smallest_lossless": row.bytes / reference.bytes,
                    **_fidelity(row),
                    "seconds": row.seconds(),
                }
                for row in self.rows
            ],
            "absent": self.absent,
        }


def _fidelity(row: Row) -> dict[str, Any]:
    if row.kind == _NGR:
        return {"embedding_rmse": row.embedding_rmse}
    if row.kind == _SOURCE:
        return {"bits": row.bits}
    return {"bits": row.bits, "lossless": row.lossless, "psnr_db": row.psnr_db}


def measure_film(samples: Samples, study: Study, *, settings: Sequence[str] | None = None) -> FilmSizes:
    """One film in every coding that is installed.

    Parameters
    ----------
    samples : of the film; its file is the first row.
    study : what the compressor made of the film.
    settings : forms of the embedding; all of ``embedding_settings()`` by default.

    Raises
    ------
    MissingExtraError (E_EXTRA) : not even one lossless coding is installed.
    SourceError (E_SOURCE_KIND) : no lossless coding that is installed takes this film.
    """
    rows = [Row(coding="source file", kind=_SOURCE, bytes=samples.source_bytes, bits=samples.bits)]
    pictures, absent = _pictures(samples)
    rows.extend(pictures)
    for setting in embedding_settings() if settings is None else settings:
        try:
            data = to_bytes(study, embedding=setting)
        except StudyError as error:
            absent[f".ngr {setting}"] = f"{error.code}: {error.message}"
            continue
        rows.append(
            Row(coding=f".ngr {setting}", kind=_NGR, bytes=len(data), embedding_rmse=_embedding_error(study, data))
        )
    height, width = samples.values.shape
    kept = len(study.patches)
    return FilmSizes(
        films=1,
        source={"format": samples.film.facts["format"], "height": height, "width": width, "bits": samples.bits},
        ngr={
            "patches": kept,
            "cells": study.n_cells,
            "retention": kept / study.n_cells,
            "report": study.provenance.get("report", "not stated"),
        },
        rows=tuple(rows),
        absent=absent,
    )


def _pictures(samples: Samples) -> tuple[list[Row], dict[str, str]]:
    """The film as every picture that can be had, and why the others cannot."""
    rows, absent, missing = [], {}, None
    for coding in PICTURE_CODINGS:
        try:
            coded = coding(samples)
        except MissingExtraError as error:
            absent[coding.name] = f"not installed: {installing(coding.extra)}"
            missing = error
            continue
        except (RuntimeError, ValueError, OSError) as error:
            # What encoders of others say of a film that they refuse; the rest of the film is still worth measuring.
            absent[coding.name] = f"refused by the encoder: {type(error).__name__}"
            continue
        rows.append(
            Row(
                coding=coding.name,
                kind=_PICTURE,
                bytes=len(coded.data),
                bits=coded.bits,
                lossless=coded.lossless,
                psnr_db=coded.psnr_db,
            )
        )
    if not any(row.lossless for row in rows):
        raise missing or SourceError("no lossless coding takes this film", code="E_SOURCE_KIND")
    return rows, absent


def _embedding_error(study: Study, data: bytes) -> float:
    """What this form added to the losses on record."""
    before, after = study.provenance.get("loss", ()), load_bytes(data).provenance.get("loss", ())
    return float(after[-1]["rmse"]) if len(after) > len(before) else 0.0


def total(films: Sequence[FilmSizes]) -> FilmSizes:
    """The sum of several films, of codings that all of them have.

    Parameters
    ----------
    films : at least one.
    """
    names = [row.coding for row in films[0].rows if all(_row(film, row.coding) for film in films)]
    absent = {name: reason for film in films for name, reason in film.absent.items()}
    patches, cells = (sum(film.ngr[name] for film in films) for name in ("patches", "cells"))
    reports = {film.ngr["report"] for film in films}
    return FilmSizes(
        films=sum(film.films for film in films),
        source={name: value for name, value in films[0].source.items() if _shared(films, name)},
        ngr={
            "patches": patches,
            "cells": cells,
            "retention": patches / cells,
            "report": reports.pop() if len(reports) == 1 else "mixed",
        },
        rows=tuple(_summed([row for film in films if (row := _row(film, name))]) for name in names),
        absent=absent,
    )


def _row(film: FilmSizes, name: str) -> Row | None:
    return next((row for row in film.rows if row.coding == name), None)


def _shared(films: Sequence[FilmSizes], name: str) -> bool:
    return all(film.source.get(name) == films[0].source[name] for film in films)


def _summed(rows: Sequence[Row]) -> Row:
    bits = {row.bits for row in rows}
    return Row(
        coding=rows[0].coding,
        kind=rows[0].kind,
        bytes=sum(row.bytes for row in rows),
        bits=bits.pop() if len(bits) == 1 else None,
        lossless=all(row.lossless for row in rows),
        psnr_db=_mean([row.psnr_db for row in rows]),
        embedding_rmse=_mean([row.embedding_rmse for row in rows]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
