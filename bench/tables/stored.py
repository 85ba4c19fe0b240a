"""Studies that are there already: the graph systems from an archive alone, without films."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import neuralgraph as ng
from bench.tables.gather import WRITTEN, Gathered, Sample, model_directory, with_written_report
from neuralgraph.compressor.generation import ReportWriter
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.errors import ModelError, StudyError
from neuralgraph.graph.retention import kept_patches
from neuralgraph.graph.study import Study
from neuralgraph.storage.opening import open_archive
from neuralgraph.tasks import Split, read_splits

__all__ = ["read_stored", "split_of", "stored_share"]

SPLITS_FILE = "studies.csv"
_TOGETHER = 16


def split_of(archive: Path, table: Path | None) -> Split:
    """The split of the studies, which a ``.ngr`` does not know.

    Raises
    ------
    StudyError : no table is named, and none lies beside the studies.
    """
    beside = (archive if archive.is_dir() else archive.parent) / SPLITS_FILE
    if table is None and not beside.is_file():
        reason = "which studies are for training? give a table of study_id and split with --splits"
        raise StudyError(reason, code="E_STUDY", where="splits")
    return read_splits(table or beside)


def stored_share(archive: Path, split: Split) -> float:
    """The smallest share of its patches that a study of the split holds."""
    with open_archive(archive) as studies:
        return min(len(studies[name].patches) / studies[name].n_cells for name in split.every)


def read_stored(
    archive: Path, split: Split, model: str, *, retain: float, work: Path, progress: Callable[[str], None]
) -> tuple[Gathered, str]:
    """Samples of the studies of a split; reports are written where the model that made the studies is given.

    Returns
    -------
    (Gathered, str) : the second says why no reports were written; "" where they were.
    """
    samples: list[Sample] = []
    parts = work / f"{WRITTEN}.parts"
    parts.mkdir(parents=True, exist_ok=True)
    writer, reader, reason = ReportWriter.from_pretrained(model_directory(model)), extractor("rules"), ""
    ids = split.every
    with open_archive(archive) as studies:
        for start in range(0, len(ids), _TOGETHER):
            chunk: list[Study] = [studies[name] for name in ids[start : start + _TOGETHER]]
            written: list[dict[str, str]] = [{} for _ in chunk]
            if not reason:
                try:
                    kept = [study.prune(retain=retain) for study in chunk]
                    for text, study, texts in zip(writer.batch(kept), kept, written, strict=True):
                        texts["kept"] = text
                        ng.save(with_written_report(study, text, reader), parts / f"{study.study_id}.ngr")
                    if all(len(study.patches) == kept_patches(1.0, study.n_cells) for study in chunk):
                        for text, texts in zip(writer.batch(chunk), written, strict=True):
                            texts["all"] = text
                except ModelError as error:
                    reason = str(error)
            for study, texts in zip(chunk, written, strict=True):
                truth = described_text(study.report) if study.report else ""
                samples.append(Sample(study_id=study.study_id, labels=dict(study.labels), truth=truth, written=texts))
            progress(f"{len(samples)} studies of {len(ids)}")
    if not reason:
        ng.pack([parts / f"{sample.study_id}.ngr" for sample in samples], work / WRITTEN)
    return Gathered(samples=samples, failures={}), reason
