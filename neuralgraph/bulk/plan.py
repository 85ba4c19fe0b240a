"""The plan: which rows of a manifest this run converts, and under which pseudonyms."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from neuralgraph.bulk.destination import file_digest
from neuralgraph.bulk.pseudonyms import Pseudonyms
from neuralgraph.bulk.task import FAILURES, Task
from neuralgraph.sources.layouts import FAULTS, REASONS, Manifest, ManifestRow
from neuralgraph.wire.computed import computed

__all__ = ["Failure", "Plan", "PlannedStudy", "in_shard", "make_plan", "study_ids"]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)


@dataclass(frozen=True)
class PlannedStudy:
    """One row under its pseudonym."""

    study_id: str
    row: ManifestRow
    pseudonyms: Pseudonyms
    """Under the key of the conversion."""
    learnt: str = ""
    """One of ``learnt.LEARNT``."""

    @computed
    def given(self) -> str:
        """Keyed hash of the row and of the bytes of its films and report, which are read at the first call; where they
        lie does not count.
        """
        return self.pseudonyms(
            "row", json.dumps([_record(self.row), [file_digest(Path(path)) for path in self._paths]])
        )

    @computed
    def seen(self) -> str:
        """Keyed hash of the row and of the sizes and times of its files, to know them again without reading them."""
        return self.pseudonyms("seen", json.dumps([_record(self.row), [_stated(path) for path in self._paths]]))

    @property
    def _paths(self) -> list[str]:
        return [*(image.path for image in self.row.images), *([self.row.report_path] if self.row.report_path else [])]

    def task(self, target: str) -> Task:
        """The task for a worker."""
        return Task(
            study_id=self.study_id,
            images=[(image.path, image.view_words) for image in self.row.images],
            target=target,
            report=self.row.report if self.row.report and self.row.report.strip() else None,
            report_path=self.row.report_path,
            labels=dict(self.row.labels),
            labeler=self.row.labeler,
            report_graphs=list(self.row.report_graphs),
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """One study that was not converted: a line of the list of failures."""

    study: str
    """Pseudonym, "" for a row that does not even have a key."""
    reason: str
    """An error code, a key of ``task.FAILURES``, or a fault of ``layouts.REASONS``."""
    message: str


@dataclass(frozen=True)
class Plan:
    """What one shard converts, in ascending order of pseudonyms, so that the order tells nothing of the source."""

    studies: tuple[PlannedStudy, ...]
    faults: tuple[Failure, ...]
    """Rows that cannot be tried, because the source is wrong there."""
    dropped: dict[str, int]
    """Rows that were left out by choice, by reason."""


def in_shard(study_key: str, shard: tuple[int, int]) -> bool:
    """Whether a study belongs to shard (number, of how many); the same on every machine and in every run."""
    number, total = shard
    digest = hashlib.sha256(b"shard\0" + study_key.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % total == number - 1


def study_ids(manifest: Manifest, pseudonyms: Pseudonyms, *, keep_ids: bool = False) -> dict[str, str]:
    """The id of every row by its key; of dropped rows the pseudonym under which a list of failures names them.

    Parameters
    ----------
    manifest : the source.
    pseudonyms : under the key of the conversion.
    keep_ids : take the source's own keys, for sources whose ids are pseudonyms already.

    Keys that cannot be kept get a pseudonym like those of dropped rows; ``make_plan`` lists them as failures.
    """
    named = {row.study_key: pseudonyms("study", row.study_key) for row in manifest.dropped if row.study_key}
    if not keep_ids:
        return {**named, **{row.study_key: pseudonyms("study", row.study_key) for row in manifest.rows}}
    kept = {row.study_key: row.study_key.replace("/", "-") for row in manifest.rows}
    taken = Counter(kept.values())
    return named | {
        key: name if _is_usable(name) and taken[name] == 1 else pseudonyms("study", key) for key, name in kept.items()
    }


def _is_usable(name: str) -> bool:
    return bool(_PLAIN_NAME.fullmatch(name)) and not name.endswith(".")


def make_plan(
    manifest: Manifest,
    pseudonyms: Pseudonyms,
    *,
    shard: tuple[int, int] = (1, 1),
    keep_ids: bool = False,
    learnt: Callable[[ManifestRow], str] = lambda _: "",
) -> Plan:
    """The plan of one shard.

    Parameters
    ----------
    manifest : the resolved source.
    pseudonyms : under the key of the conversion.
    shard : (number, of how many), counted from 1.
    keep_ids : as in ``study_ids``.
    learnt : whether the model learnt from a study's patient; see ``learnt.Learnt``.
    """
    names = study_ids(manifest, pseudonyms, keep_ids=keep_ids)
    rows = [row for row in manifest.rows if in_shard(row.study_key, shard)]
    unusable = {
        row.study_key for row in rows if keep_ids and names[row.study_key] == pseudonyms("study", row.study_key)
    }
    studies = [
        PlannedStudy(names[row.study_key], row, pseudonyms, learnt(row))
        for row in rows
        if row.study_key not in unusable
    ]
    mine = [row for row in manifest.dropped if in_shard(row.study_key, shard)]
    faults = [
        Failure(pseudonyms("study", row.study_key) if row.study_key else "", row.reason, REASONS[row.reason])
        for row in mine
        if row.reason in FAULTS
    ]
    faults += [Failure(names[key], "id_unusable", FAILURES["id_unusable"]) for key in unusable]
    dropped: dict[str, int] = {}
    for row in mine:
        if row.reason not in FAULTS:
            dropped[row.reason] = dropped.get(row.reason, 0) + 1
    return Plan(
        tuple(sorted(studies, key=lambda study: study.study_id)),
        tuple(sorted(faults, key=lambda failure: (failure.study, failure.reason))),
        dict(sorted(dropped.items(), key=lambda item: (-item[1], item[0]))),
    )


def _record(row: ManifestRow) -> list[object]:
    """What the table says of a study; where files lie does not count, what they are called does."""
    return [
        [[os.path.basename(image.path), image.view_words] for image in row.images],
        row.report,
        None if row.report_path is None else os.path.basename(row.report_path),
        sorted(row.labels.items()),
        row.labeler,
        *row.report_graphs,
    ]


def _stated(path: str) -> list[int]:
    try:
        status = os.stat(path)
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
