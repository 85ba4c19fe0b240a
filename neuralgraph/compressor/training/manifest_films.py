"""The studies of a manifest as training films."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.training.examples import Prepared, prepared
from neuralgraph.compressor.training.places import places_of_marks
from neuralgraph.errors import NeuralGraphError
from neuralgraph.sources import normalise_report, read_film
from neuralgraph.sources.layouts import ManifestRow
from neuralgraph.sources.layouts.selection import patient_of
from neuralgraph.sources.reports import read_report

__all__ = ["ManifestTask", "manifest_tasks", "prepare_row"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ManifestTask:
    """One study of a source."""

    row: ManifestRow
    preprocessor: Preprocessor
    source: str = ""


def manifest_tasks(
    rows: Iterable[ManifestRow], preprocessor: Preprocessor, *, source: str = ""
) -> Sequence[ManifestTask]:
    """One task for every row; ``source`` is what the examples say they are from."""
    return [ManifestTask(row=row, preprocessor=preprocessor, source=source) for row in rows]


def prepare_row(task: ManifestTask) -> list[Prepared]:
    """Every film of a study as an example of its own, all with the study's report; failures by their code.

    A study without a report teaches nothing here and fails with E_SOURCE_EMPTY. Labels that are -1 (uncertain) are left
    unknown.
    """
    row = task.row
    try:
        report = normalise_report(row.report or "") if row.report_path is None else read_report(row.report_path)
    except NeuralGraphError as error:
        return [Prepared(failure=error.code)]
    labels = {name: float(value) for name, value in row.labels.items() if value in (0.0, 1.0)}
    # A study of unknown patient is a patient of its own.
    patient = patient_of(row)
    results = []
    for image in row.images:
        try:
            film = read_film(image.path)
            places = places_of_marks(image.marks, image.marked, film.pixels.shape, task.preprocessor, film.facts)
            results.append(
                prepared(
                    film.pixels,
                    task.preprocessor,
                    masks=places.masks,
                    structures=places.structures,
                    known=places.known,
                    report=report,
                    phrases=places.phrases,
                    labels=labels,
                    patient=patient,
                    split=row.split,
                    source=task.source,
                )
            )
        except NeuralGraphError as error:
            results.append(Prepared(failure=error.code))
    return results
