"""Which study is for training, which for validation, which for testing.

A ``.ngr`` does not know its patient, on purpose. So a split comes from whoever knew: the ``studies.csv`` that
``ngr convert`` writes (from the data set's own split, or by patient under a cohort), or any table of that form.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from neuralgraph.errors import SourceError, StudyError
from neuralgraph.sources.layouts.splits import SPLIT_NAMES, split_named

__all__ = ["SPLITS", "Split", "check_not_learnt", "read_splits", "split_by_hash", "with_prevalence"]

SPLITS = SPLIT_NAMES
"""Names of the parts."""

_FIELDS = ("study_id", "split")


@dataclass(frozen=True)
class Split:
    """Study ids of each part, each list in ascending order."""

    train: tuple[str, ...]
    validate: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check that nothing is in two parts and none is empty."""
        parts = (self.train, self.validate, self.test)
        for name, ids in zip(SPLITS, parts, strict=True):
            if not ids:
                raise StudyError(f"no study is in the part {name!r}", code="E_STUDY", where="split")
        if len(set().union(*parts)) != sum(map(len, parts)):
            raise StudyError("a study is in two parts of the split", code="E_DUP", where="split")

    @property
    def every(self) -> tuple[str, ...]:
        """All ids: training, validation, test."""
        return self.train + self.validate + self.test


def read_splits(path: Path) -> Split:
    """The split of a table with the columns ``study_id`` and ``split``; rows of other parts are left out.

    Raises
    ------
    SourceError (E_SOURCE_READ) : the table cannot be read or lacks a column.
    StudyError : a part is empty, or a study is in two.
    """
    parts: dict[str, list[str]] = {name: [] for name in SPLITS}
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream)
            missing = [field for field in _FIELDS if field not in (table.fieldnames or ())]
            if missing:
                raise SourceError(
                    f"the table of splits has no column {missing[0]!r}", code="E_SOURCE_READ", where=str(path)
                )
            for row in table:
                part = parts.get(split_named(row["split"] or ""))
                if part is not None and row["study_id"]:
                    part.append(row["study_id"])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError("the table of splits cannot be read", code="E_SOURCE_READ", where=str(path)) from error
    return _split(parts)


def check_not_learnt(split: Split, tables: Iterable[Path]) -> int:
    """Refuse to test on patients that the model which made the studies learnt from.

    Parameters
    ----------
    split : the parts.
    tables : as ``ngr convert`` writes them; those with a column ``learnt`` are asked.

    Returns
    -------
    Test studies of which the tables say that it cannot be told.

    Raises
    ------
    SourceError (E_SOURCE_READ) : a table cannot be read.
    StudyError : a test study is of a patient that was learnt from.
    """
    said: dict[str, str] = {}
    for path in tables:
        said.update({row["study_id"]: row["learnt"] or "" for row in _table(path, ("study_id", "learnt"))})
    learnt = [study_id for study_id in split.test if said.get(study_id) == "yes"]
    if learnt:
        reason = (
            f"the model that made these studies learnt from the patients of {len(learnt)} of the {len(split.test)} "
            "test studies: scores on them mean nothing; train and convert with the same split"
        )
        raise StudyError(reason, code="E_STUDY", where="splits")
    return sum(said.get(study_id) == "unknown" for study_id in split.test)


def _table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a table; none where it lacks a column."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            table = csv.DictReader(stream)
            return list(table) if set(columns) <= set(table.fieldnames or ()) else []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError("the table of splits cannot be read", code="E_SOURCE_READ", where=str(path)) from error


def split_by_hash(patients: Mapping[str, str], *, seed: int = 0, shares: tuple[float, float] = (0.70, 0.15)) -> Split:
    """70 % of the patients for training, 15 % for validation, the rest for testing (the paper's protocol).

    A patient's part depends on nothing but the patient and the seed: it stays when studies are added.

    Parameters
    ----------
    patients : patient, or any name for one, by study id.
    seed : another seed gives another split.
    shares : of training and validation.

    Raises
    ------
    StudyError : a part is empty.
    """
    parts: dict[str, list[str]] = {name: [] for name in SPLITS}
    for study_id, patient in patients.items():
        place = _place(patient, seed)
        name = SPLITS[(place >= shares[0]) + (place >= sum(shares))]
        parts[name].append(study_id)
    return _split(parts)


def with_prevalence(ids: Iterable[str], outcome: Mapping[str, bool], share: float, *, seed: int = 0) -> tuple[str, ...]:
    """The largest subset in which this share of the studies is positive (the paper tests at 15 %).

    Studies are left out in the order of a seeded hash of their id, so that the rest does not depend on the order given.

    Parameters
    ----------
    ids : candidates; those whose outcome is not known are left out.
    outcome : by study id.
    share : in (0, 1).
    seed : another seed leaves out others.

    Raises
    ------
    StudyError (E_NUM) : ``share`` is out of range.
    StudyError (E_STUDY) : no study is positive, or none negative.
    """
    if not 0 < share < 1:
        raise StudyError(f"a prevalence lies between 0 and 1, got {share}", code="E_NUM", where="prevalence")
    known = sorted((study_id for study_id in ids if study_id in outcome), key=lambda study_id: _place(study_id, seed))
    positive = [study_id for study_id in known if outcome[study_id]]
    negative = [study_id for study_id in known if not outcome[study_id]]
    if not positive or not negative:
        raise StudyError("a prevalence needs positive and negative studies", code="E_STUDY", where="prevalence")
    n_positive = min(len(positive), round(len(negative) * share / (1 - share)))
    n_negative = min(len(negative), round(n_positive * (1 - share) / share))
    return tuple(sorted(positive[:n_positive] + negative[:n_negative]))


def _place(name: str, seed: int) -> float:
    """A number in [0, 1) that belongs to a name."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / float(1 << 48)


def _split(parts: Mapping[str, list[str]]) -> Split:
    return Split(*(tuple(sorted(parts[name])) for name in SPLITS))
