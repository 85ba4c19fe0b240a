"""Which studies the tables are made of: phantoms, a data set of films, or an archive of studies made before.

One study per patient, the first one. A patient's part of the split is the source's own, or 70/15/15 by a seeded hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import SourceError
from neuralgraph.phantoms import patient
from neuralgraph.sources import normalise_report, read_film
from neuralgraph.sources.layouts import ManifestRow, Roots, resolve_manifest
from neuralgraph.sources.reports import read_report
from neuralgraph.tasks import SPLITS, Split, split_by_hash

__all__ = ["PHANTOM_SEED", "Case", "Cases", "Loaded", "ManifestCase", "PhantomCase", "manifest_cases", "phantom_cases"]

PHANTOM_SEED = 404
"""Of the cohort of the tables. The demo model learnt from 1, and its own measurements use 2026."""

_SAME_AS = {"val": "validate", "valid": "validate", "validation": "validate", "dev": "validate", "training": "train"}


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A film and what belongs to it."""

    pixels: NDArray[np.float32]
    """float32 [height, width], 0 to 1."""
    report: str
    labels: dict[str, float]
    masks: tuple[NDArray[np.bool_], ...] | None
    """Pixels of each finding that does not fill the film; None where the source does not know."""


class Case(Protocol):
    """One study that can be loaded, in any process."""

    @property
    def study_id(self) -> str:
        """Its name in everything that is written; says nothing about the source."""

    def load(self) -> Loaded:
        """Read or render it."""


@dataclass(frozen=True, kw_only=True)
class PhantomCase:
    """The first study of a phantom patient."""

    seed: int
    number: int
    side: int

    @property
    def study_id(self) -> str:
        """Its name."""
        return f"study-{self.number:06d}"

    def load(self) -> Loaded:
        """Render it; an enlarged heart has no mask, because it fills the film."""
        (made,) = patient(self.seed, self.number, height=self.side, width=self.side, studies=1)
        masks = tuple(each.mask for each in made.findings if each.present and each.name != "cardiomegaly")
        return Loaded(pixels=made.pixels, report=made.report, labels=dict(made.labels), masks=masks)


@dataclass(frozen=True, kw_only=True)
class ManifestCase:
    """A study of a data set; of several films the first."""

    number: int
    row: ManifestRow

    @property
    def study_id(self) -> str:
        """Its name."""
        return f"study-{self.number:06d}"

    def load(self) -> Loaded:
        """Read film and report."""
        row = self.row
        report = normalise_report(row.report or "") if row.report_path is None else read_report(row.report_path)
        return Loaded(pixels=read_film(row.images[0].path).pixels, report=report, labels=dict(row.labels), masks=None)


@dataclass(frozen=True, kw_only=True)
class Cases:
    """All studies of a run."""

    cases: tuple[Case, ...]
    split: Split
    facts: dict[str, object]
    """What the results say about the data."""


def phantom_cases(patients: int, *, seed: int = PHANTOM_SEED, side: int = 256) -> Cases:
    """Phantom patients 0 .. patients - 1 of a cohort, films of side x side pixels."""
    cases = tuple(PhantomCase(seed=seed, number=number, side=side) for number in range(patients))
    facts = {
        "kind": "phantom",
        "note": "synthetic films and reports of patients that the model has not learnt from; nobody's data",
        "cohort_seed": seed,
        "film": [side, side],
        "split_by": "hash of the patient, 70/15/15",
    }
    return Cases(
        cases=cases, split=split_by_hash({case.study_id: f"{seed}-{case.number}" for case in cases}), facts=facts
    )


def manifest_cases(source: Path, *, layout: str = "auto", limit: int | None = None) -> Cases:
    """Studies of a data set in any layout ``ngr convert`` reads: those with a film and a report, one of each patient.

    Raises
    ------
    SourceError : the source cannot be read, or has no such study.
    """
    manifest = resolve_manifest(Roots(source), layout)
    usable = [row for row in manifest.rows if row.images and (row.report or row.report_path)]
    first: dict[str, ManifestRow] = {}
    for row in sorted(usable, key=lambda row: (row.order, row.study_key)):
        first.setdefault(row.patient_key or f"study {row.study_key}", row)
    chosen = sorted(first.items())[:limit]
    if not chosen:
        raise SourceError("no study has both a film and a report", code="E_SOURCE_EMPTY", where=str(source))
    cases = tuple(ManifestCase(number=number, row=row) for number, (_, row) in enumerate(chosen))
    parts: dict[str, list[str]] = {name: [] for name in SPLITS}
    for case in cases:
        name = case.row.split.strip().lower()
        if (part := parts.get(_SAME_AS.get(name, name))) is not None:
            part.append(case.study_id)
    own = all(parts.values())
    keys = {case.study_id: key for case, (key, _) in zip(cases, chosen, strict=True)}
    split = Split(*(tuple(parts[name]) for name in SPLITS)) if own else split_by_hash(keys)
    facts = {
        "kind": "films",
        "layout": manifest.layout,
        "split_by": "the source" if own else "hash of the patient, 70/15/15",
        "labels_by": sorted({case.row.labeler for case in cases if case.row.labeler}),
    }
    return Cases(cases=cases, split=split, facts=facts)
