"""Many studies at a glance: counts, shares, and bytes beside what they are compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from neuralgraph.errors import StudyNotFoundError
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import Archive, located
from neuralgraph.storage.facts import LABEL, concept_rows, study_row
from neuralgraph.storage.gate import prove

__all__ = ["Overview", "archive_overview", "study_by_prefix"]

_FINDINGS = 30
_SHOWN = 5


class Overview:
    """Adds up the rows of studies (``neuralgraph.storage.facts``)."""

    def __init__(self) -> None:
        self._count = self._bytes = self._pixels = self._vectors = self._lossy = 0
        self._largest = 0.0
        self._patches = self._cells = 0
        self._reports: Counter[str] = Counter()
        self._models: Counter[tuple[str, str]] = Counter()
        self._labels: dict[str, Counter[str]] = {}
        self._findings: dict[str, Counter[str]] = {}

    def add(self, row: Mapping[str, Any], concepts: list[dict[str, Any]]) -> None:
        """Take the row of a study and those of its concepts."""
        self._count += 1
        self._bytes += row["bytes"]
        self._pixels += row["film_pixels"]
        self._vectors += 4 * row["cells"] * row["embedding_dim"]
        self._patches, self._cells = self._patches + row["patches"], self._cells + row["cells"]
        self._reports[row["report"]] += 1
        self._models[row["model"] or "not stated", (row["model_digest"] or "")[:12]] += 1
        if row["embedding_loss"] is not None:
            self._lossy += 1
            self._largest = max(self._largest, row["embedding_loss"])
        for key, value in row.items():
            if key.startswith(LABEL):
                self._labels.setdefault(key.removeprefix(LABEL), Counter())[value_name(value)] += 1
        if row["report"] == "given":
            for polarity, name in {(c["polarity"], c["name"]) for c in concepts if c["kind"] == "observation"}:
                self._findings.setdefault(name, Counter())[polarity] += 1

    def facts(self) -> dict[str, Any]:
        """What was added up, ready for JSON."""
        findings = sorted(self._findings.items(), key=lambda item: (-item[1].total(), item[0]))
        return overview_facts(
            studies=self._count,
            record_bytes=self._bytes,
            pixels=self._pixels,
            vector_bytes=self._vectors,
            patches=self._patches,
            cells=self._cells,
            reports=dict(sorted(self._reports.items())),
            models=sorted((name, digest, count) for (name, digest), count in self._models.items()),
            labels={name: dict(sorted(counts.items())) for name, counts in sorted(self._labels.items())},
            findings=[(name, dict(sorted(counts.items()))) for name, counts in findings[:_FINDINGS]],
            n_findings=len(findings),
            lossy=self._lossy,
            largest_loss=self._largest,
        )


def value_name(value: float) -> str:
    """How a label's value is counted."""
    return {1.0: "positive", 0.0: "negative", -1.0: "uncertain"}.get(value, "other")


def overview_facts(
    *,
    studies: int,
    record_bytes: int,
    pixels: int,
    vector_bytes: int,
    patches: int,
    cells: int,
    reports: dict[str, int],
    models: list[tuple[str, str, int]],
    labels: dict[str, dict[str, int]],
    findings: list[tuple[str, dict[str, int]]],
    n_findings: int,
    lossy: int,
    largest_loss: float,
) -> dict[str, Any]:
    """The facts of an overview in their one form.

    Bytes are those of the records, beside two denominators: the films' pixels at one byte each, uncompressed, and the
    float32 embeddings of all cells of the grids. What the source files had is not in an .ngr file.
    """
    return {
        "studies": studies,
        "record_bytes": record_bytes,
        "bytes_per_study": round(record_bytes / studies) if studies else 0,
        "denominators": {
            "film_pixels_8_bit": pixels,
            "embeddings_of_all_cells_float32": vector_bytes,
        },
        "retention": round(patches / cells, 6) if cells else None,
        "reports": reports,
        "models": [{"name": name, "digest": digest, "studies": count} for name, digest, count in models],
        "labels": labels,
        "findings": [{"name": name, **counts} for name, counts in findings],
        "n_findings": n_findings,
        "embedding_loss": {"studies": lossy, "largest_rmse": round(largest_loss, 6) if lossy else None},
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
                overview.add(row, concept_rows(study, archive="", position=position))
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
