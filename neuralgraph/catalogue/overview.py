"""Many studies at a glance: counts, shares, and bytes beside what they are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from neuralgraph.access.files import located
from neuralgraph.errors import StudyNotFoundError
from neuralgraph.graph.study import Study
from neuralgraph.rows.columns import LABEL
from neuralgraph.rows.facts import concept_rows, study_row, triple_rows
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.gate import prove

__all__ = [
    "Overview",
    "StudyCounts",
    "StudyTotals",
    "archive_overview",
    "overview_facts",
    "study_by_prefix",
    "value_name",
]

_FINDINGS = 30
"""Findings that an overview names."""
_SHOWN = 5


@dataclass
class StudyTotals:
    """Sums over studies."""

    studies: int = 0
    record_bytes: int = 0
    pixels: int = 0
    """Of the films."""
    vector_bytes: int = 0
    """Of the embeddings of all cells of the grids, as float32."""
    patches: int = 0
    cells: int = 0
    lossy: int = 0
    """Studies whose embedding was ever stored with loss."""
    largest_loss: float = 0.0
    """RMSE."""


@dataclass
class StudyCounts:
    """How many studies say what."""

    reports: dict[str, int] = field(default_factory=Counter)
    """By what the report is: given, generated, none, unknown."""
    models: dict[tuple[str, str], int] = field(default_factory=Counter)
    """By name and the first twelve digits of the digest."""
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of each label, by the name of its value (``value_name``)."""
    findings: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of each finding of reports that were given, by polarity; what only modifies another ("large") is none."""


class Overview:
    """Adds up the rows of studies (``neuralgraph.rows.facts``)."""

    def __init__(self) -> None:
        self._totals, self._counts = StudyTotals(), StudyCounts()

    def add(self, row: Mapping[str, Any], concepts: list[dict[str, Any]], triples: list[dict[str, Any]]) -> None:
        """Take the row of a study, and those of its concepts and triples."""
        totals, counts = self._totals, self._counts
        totals.studies += 1
        totals.record_bytes += row["bytes"]
        totals.pixels += row["film_pixels"]
        totals.vector_bytes += 4 * row["cells"] * row["embedding_dim"]
        totals.patches, totals.cells = totals.patches + row["patches"], totals.cells + row["cells"]
        if row["embedding_loss"] is not None:
            totals.lossy += 1
            totals.largest_loss = max(totals.largest_loss, row["embedding_loss"])
        counts.reports[row["report"]] += 1
        counts.models[row["model"] or "not stated", (row["model_digest"] or "")[:12]] += 1
        for key, value in row.items():
            if key.startswith(LABEL):
                counts.labels.setdefault(key.removeprefix(LABEL), Counter())[value_name(value)] += 1
        if row["report"] == "given":
            modifiers = {triple["head"] for triple in triples if triple["relation"] == "modify"}
            for polarity, name in {(c["polarity"], c["name"]) for c in concepts if c["kind"] == "observation"}:
                if name not in modifiers:
                    counts.findings.setdefault(name, Counter())[polarity] += 1

    def facts(self) -> dict[str, Any]:
        """What was added up, ready for JSON."""
        return overview_facts(self._totals, self._counts)


def value_name(value: float) -> str:
    """How a label's value is counted."""
    return {1.0: "positive", 0.0: "negative", -1.0: "uncertain"}.get(value, "other")


def overview_facts(totals: StudyTotals, counts: StudyCounts) -> dict[str, Any]:
    """The facts of an overview in their one form, ready for JSON: names in order, findings by how many say them.

    Bytes are those of the records, beside two denominators: the films' pixels at one byte each, uncompressed, and the
    float32 embeddings of all cells of the grids. What the source files had is not in an .ngr file.
    """
    studies, lossy = totals.studies, totals.lossy
    findings = sorted(counts.findings.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return {
        "studies": studies,
        "record_bytes": totals.record_bytes,
        "bytes_per_study": round(totals.record_bytes / studies) if studies else 0,
        "denominators": {
            "film_pixels_8_bit": totals.pixels,
            "embeddings_of_all_cells_float32": totals.vector_bytes,
        },
        "retention": round(totals.patches / totals.cells, 6) if totals.cells else None,
        "reports": dict(sorted(counts.reports.items())),
        "models": [
            {"name": name, "digest": digest, "studies": count}
            for (name, digest), count in sorted(counts.models.items())
        ],
        "labels": {name: dict(sorted(values.items())) for name, values in sorted(counts.labels.items())},
        "findings": [{"name": name, **dict(sorted(said.items()))} for name, said in findings[:_FINDINGS]],
        "n_findings": len(findings),
        "embedding_loss": {"studies": lossy, "largest_rmse": round(totals.largest_loss, 6) if lossy else None},
    }


def archive_overview(archive: Archive, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """The overview of everything in an archive; every study is read and proven.

    Raises
    ------
    FormatError, StudyError : a study is damaged or breaks a rule.
    """
    overview, done = Overview(), 0
    for path, _, container in archive.files:
        with located(path):
            for position in range(len(container)):
                data = container.record_bytes(position)
                study = Study.from_columns(prove(container, position, data=data))
                row = study_row(study, archive="", position=position, record_bytes=len(data))
                concepts = concept_rows(study, archive="", position=position)
                overview.add(row, concepts, triple_rows(study, archive="", position=position))
                done += 1
                if progress is not None:
                    progress(done, len(archive))
    return overview.facts()


def study_by_prefix(archive: Archive, prefix: str) -> str:
    """The id that is ``prefix``, or the only one that begins with it.

    Raises
    ------
    StudyNotFoundError (E_NOT_FOUND) : none does, or several do; some are named.
    """
    if prefix in archive.ids:
        return prefix
    found = [study_id for study_id in archive.ids if study_id.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise StudyNotFoundError(f"no study begins with {prefix!r} among {len(archive)}", where=prefix)
    shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
    raise StudyNotFoundError(f"{len(found)} studies begin with {prefix!r}: {shown}", where=prefix)
