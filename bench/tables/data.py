"""All that is known once the studies are there: archives, samples, outcomes, and who is tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tables.cases import Cases, manifest_cases, phantom_cases
from bench.tables.gather import WHOLE, WRITTEN, Gathered, Sample, Settings, gather
from bench.tables.scoring import Truth
from bench.tables.stored import SPLITS_FILE, read_stored, split_of, stored_share
from neuralgraph.errors import StudyError
from neuralgraph.storage.archive import ngr_files
from neuralgraph.tasks import SPLITS, Split, with_prevalence

__all__ = ["PATIENTS", "Data", "Wanted", "choose_labels", "collect", "is_archive"]

PATIENTS = 2000
"""Phantoms, when nothing is said."""
PICTURED = 600
"""Films of the training part that go through picture codecs."""
LEAST_CASES = 10
"""Studies of either outcome that a label needs in the training part to be learnt."""
LEAST_TESTED = 2
"""And in the test part to be scored."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command was asked for."""

    data: str
    """"phantom", a data set, or an archive of studies."""
    model: str
    patients: int | None
    retain: float
    target: str
    prevalence: float
    """Of the target among the test studies; 0 leaves it as it is."""
    splits: Path | None
    layout: str
    work: Path
    workers: int


@dataclass(frozen=True, kw_only=True)
class Data:
    """Studies with their outcomes; rows of all arrays are the studies of ``split.every``."""

    whole: Path
    written: Path | None
    """None where no report was written."""
    share: float
    """Of the patches that every study holds."""
    samples: list[Sample]
    split: Split
    labels: tuple[str, ...]
    target: str
    outcome: NDArray[np.bool_]
    known: NDArray[np.bool_]
    tested: NDArray[np.int64]
    """Numbers within the test part, at the prevalence asked for."""
    facts: dict[str, Any]
    left_out: dict[str, str]
    """What could not be measured, and why."""

    def truth(self, *, all_tested: bool = False) -> Truth:
        """Outcomes of the test studies: at the prevalence asked for, or of all of them."""
        first = len(self.split.train) + len(self.split.validate)
        rows = first + (np.arange(len(self.split.test)) if all_tested else self.tested)
        return Truth(labels=self.labels, target=self.target, outcome=self.outcome[rows], known=self.known[rows])


def is_archive(source: Path) -> bool:
    """Whether the source holds studies rather than films."""
    return source.suffix == ".ngr" or (
        source.is_dir() and ((source / SPLITS_FILE).is_file() or bool(ngr_files(source)))
    )


def collect(wanted: Wanted, *, progress: Callable[[str], None]) -> Data:
    """Gather the studies, or read those that are there."""
    left_out: dict[str, str] = {}
    source = Path(wanted.data)
    if wanted.data != "phantom" and is_archive(source):
        split = split_of(source, wanted.splits)
        gathered, reason = read_stored(
            source, split, wanted.model, retain=wanted.retain, work=wanted.work, progress=progress
        )
        left_out["pictures, saliency, variance, own report"] = "they need films, and there are studies only"
        if reason:
            left_out["written reports"] = reason
        facts: dict[str, Any] = {"kind": "studies", "split_by": "table of splits"}
        whole, share = source, stored_share(source, split)
        written = None if reason else wanted.work / WRITTEN
    else:
        cases: Cases = (
            phantom_cases(wanted.patients or PATIENTS)
            if wanted.data == "phantom"
            else manifest_cases(source, layout=wanted.layout, limit=wanted.patients)
        )
        settings = Settings(
            model=wanted.model,
            retain=wanted.retain,
            work=wanted.work,
            tested=frozenset(cases.split.test),
            # Picture codecs cost more than everything else; the reader of bytes learns from fewer films.
            pictured=frozenset((*cases.split.train[:PICTURED], *cases.split.validate, *cases.split.test)),
        )
        gathered = gather(cases.cases, settings, workers=wanted.workers, progress=progress)
        split, facts, share = cases.split, cases.facts, 1.0
        whole, written = wanted.work / WHOLE, wanted.work / WRITTEN
    return _joined(wanted, gathered, split, facts, left_out, whole, written, share)


def choose_labels(
    outcome: NDArray[np.bool_], known: NDArray[np.bool_], names: Sequence[str], split: Split
) -> tuple[str, ...]:
    """Labels with enough studies of either outcome in the training and in the test part."""
    n_train, n_test = len(split.train), len(split.test)
    chosen = []
    for number, name in enumerate(names):
        counts = []
        for rows, least in ((slice(0, n_train), LEAST_CASES), (slice(-n_test, None), LEAST_TESTED)):
            mine = outcome[rows, number][known[rows, number]]
            counts.append(min(int(mine.sum()), int((~mine).sum())) >= least)
        if all(counts):
            chosen.append(name)
    return tuple(chosen)


def _joined(
    wanted: Wanted,
    gathered: Gathered,
    split: Split,
    facts: dict[str, Any],
    left_out: dict[str, str],
    whole: Path,
    written: Path | None,
    share: float,
) -> Data:
    by_id = {sample.study_id: sample for sample in gathered.samples}
    split = Split(*(tuple(name for name in getattr(split, part) if name in by_id) for part in SPLITS))
    samples = [by_id[name] for name in split.every]
    names = sorted({name for sample in samples for name in sample.labels})
    values = np.array([[sample.labels.get(name, np.nan) for name in names] for sample in samples])
    outcome, known = values == 1, np.isin(values, (0, 1))
    labels = choose_labels(outcome, known, names, split)
    target = next((name for name in labels if name.lower() == wanted.target.lower()), None)
    if target is None:
        reason = f"{wanted.target!r} has too few studies; labels with enough: {', '.join(labels) or 'none'}"
        raise StudyError(reason, code="E_STUDY", where="target")
    columns = [names.index(label) for label in labels]
    outcome, known = outcome[:, columns], known[:, columns]
    first, column = len(split.train) + len(split.validate), labels.index(target)
    diagnosis = {
        name: bool(outcome[first + row, column]) for row, name in enumerate(split.test) if known[first + row, column]
    }
    chosen = with_prevalence(split.test, diagnosis, wanted.prevalence) if wanted.prevalence else tuple(diagnosis)
    tested = np.array([split.test.index(name) for name in chosen], np.int64)
    facts = {
        **facts,
        "studies": {name: len(getattr(split, name)) for name in SPLITS},
        "failures": gathered.failures,
        "target": target,
        "labels": list(labels),
        "prevalence": wanted.prevalence,
        "natural_prevalence": float(outcome[known[:, column], column].mean()),
        "tested": {"studies": len(tested), "positive": sum(diagnosis[name] for name in chosen)},
        "tested_all": {"studies": len(diagnosis), "positive": sum(diagnosis.values())},
    }
    return Data(
        whole=whole,
        written=written,
        share=share,
        samples=samples,
        split=split,
        labels=labels,
        target=target,
        outcome=outcome,
        known=known,
        tested=np.sort(tested),
        facts=facts,
        left_out=left_out,
    )
