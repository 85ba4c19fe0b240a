"""One study at a time: files in, file out. The same class serves every engine; it is made once per process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from neuralgraph.bulk.facts import facts_of
from neuralgraph.bulk.given_graph import GIVEN, GivenGraphs, given_graph
from neuralgraph.bulk.memory import bounded_memory
from neuralgraph.bulk.report_text import described
from neuralgraph.bulk.settings import ConversionSettings, policy_of
from neuralgraph.bulk.stopwatch import Stopwatch
from neuralgraph.bulk.task import Answer, Task
from neuralgraph.compressor.report_graph import ReportGraph
from neuralgraph.compressor.report_graph.unread import unread_reason
from neuralgraph.errors import NeuralGraphError, SourceError
from neuralgraph.graph.study import Study
from neuralgraph.sources import Film, read_film, read_report
from neuralgraph.sources.films.view_words import read_view
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.save import to_bytes
from neuralgraph.wire.vocabulary import VIEW_POSITIONS

__all__ = ["Converter", "MakerOf", "StudyMaker", "default_maker"]


class StudyMaker(Protocol):
    """What a converter needs of a compressor."""

    def __call__(
        self,
        image: list[Film],
        report: str | None = None,
        *,
        labels: dict[str, float],
        labeler: str,
        study_id: str,
        graph: ReportGraph | None,
        store_report: bool,
        store_pixels: bool,
    ) -> Study:
        """The study of films and a report."""


MakerOf: TypeAlias = Callable[[ConversionSettings], tuple[StudyMaker, dict[str, Any]]]
"""Gives the maker of studies for the settings of a conversion, and what identifies its method."""


def default_maker(settings: ConversionSettings) -> tuple[StudyMaker, dict[str, Any]]:
    """The compressor of the settings, and what identifies its model.

    Raises
    ------
    MissingExtraError (E_EXTRA), ModelError (E_MODEL, E_MODEL_ATTENTION) : the model cannot be used here.
    """
    import torch

    from neuralgraph.compressor import Compressor

    # The sum of floats depends on how many threads share it: one thread, whatever the number of workers, keeps the
    # bytes of a study the same.
    torch.set_num_threads(1)
    given = settings.extractor == GIVEN
    compressor = Compressor.from_pretrained(
        settings.model,
        policy=policy_of(settings),
        report_graph=GivenGraphs() if given else settings.extractor,
        device=settings.device,
        generated_graph=settings.generated_graph,
        max_side=settings.max_side or None,
    )
    method = {"model": compressor.scorer.digest, "trained": compressor.scorer.trained}
    if compressor.extractor is not None and not given:
        method["extractor"] = compressor.extractor.fingerprint
    return compressor, method


class Converter:
    """Reads films and report, makes the study, writes its file.

    Parameters
    ----------
    settings : how.
    maker : makes the studies.
    """

    def __init__(self, settings: ConversionSettings, maker: StudyMaker) -> None:
        self._settings = settings
        self._maker = maker

    def __call__(self, task: Task) -> Answer:
        """Convert one study; what can go wrong with a source or a destination is an answer, not an exception."""
        watch = Stopwatch()
        try:
            study, unread = self._study(task, watch)
            with watch.stage("encode"):
                data = to_bytes(study, embedding=self._settings.embedding)
            with watch.stage("write"), atomic_file(task.target) as stream:
                stream.write(data)
        except NeuralGraphError as error:
            # Without the place: it may name a file.
            return Answer(task.study_id, error.code, error.message, seconds=watch.seconds)
        facts = facts_of(study, source_bytes=_bytes_of(task), file_bytes=len(data), unread=unread)
        return Answer(task.study_id, sha256=hashlib.sha256(data).hexdigest(), facts=facts, seconds=watch.seconds)

    def _study(self, task: Task, watch: Stopwatch) -> tuple[Study, str]:
        """The study, and why its report gave no concept, "" where it did."""
        given = self._settings.extractor == GIVEN
        with watch.stage("read"):
            report = read_report(task.report_path) if task.report_path is not None else task.report
            # Graphs that come with the source are found again by the letters of the text alone.
            text = None if report is None else described(report, self._settings.sections, headings=not given)
            with bounded_memory(self._settings.memory_mib):
                films = [self._film(path, view) for path, view in task.images]
        with watch.stage("model"):
            study = self._maker(
                films,
                text,
                labels=task.labels,
                labeler=task.labeler,
                study_id=task.study_id,
                graph=given_graph(text or "", task.report_graphs) if given else None,
                store_report=self._settings.store_report,
                store_pixels=self._settings.store_pixels,
            )
        read = bool(study.concepts) or self._settings.extractor == "none"
        return study, "" if read else unread_reason(text, self._settings.sections)

    def _film(self, path: str, view: str) -> Film:
        """The film, with the view the manifest gives; where it gives none, with its own."""
        film = read_film(path, accept_burned_in=self._settings.burned_in == "accept")
        if self._settings.burned_in == "strict":
            _refuse_text(film)
        projection, position = read_view(view)
        if position:
            film = replace(film, facts={**film.facts, "position": position})
        if projection == "FRONTAL":
            return film if film.position in ("PA", "AP") else replace(film, position="unknown")
        return replace(film, position=projection) if projection in VIEW_POSITIONS and projection != "unknown" else film


def _refuse_text(film: Film) -> None:
    """What ``--burned-in strict`` asks for.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : a DICOM film that does not deny burned-in text, or another film, which has no header
        that could, with what looks like letters.
    """
    if film.facts["format"] == "dicom":
        if film.facts.get("burned_in") is not False:
            raise SourceError(
                "the film does not say that no identifying text is burned into its pixels", code="E_SOURCE_KIND"
            )
    elif "text_marks" in film.facts:
        raise SourceError(
            "what looks like letters is burned into the picture; look at it, and if they identify nobody take it with "
            "--burned-in refuse or accept",
            code="E_SOURCE_KIND",
        )


def _bytes_of(task: Task) -> int:
    """Bytes of the images; of one that is gone by now, none."""
    total = 0
    for path, _ in task.images:
        with suppress(OSError):
            total += os.path.getsize(path)
    return total
