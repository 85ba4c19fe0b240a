"""Every film once through the model: whole studies, other rankings, written reports, pictures at few bytes.

Whatever the tables compare is made from what this leaves: the whole study (all patches, retention 1) is kept as it is,
and harder pruning is ``study.prune``.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import neuralgraph as ng
from bench.tables.cases import Case, Loaded
from bench.tables.pictures import Plane, pictures
from bench.tables.ranking import attention_of, coverage, random_scores, ranked_by, variance_scores
from bench.tables.saliency import saliency
from neuralgraph.compressor import Compressor, TopFraction
from neuralgraph.compressor.fusion import fusion
from neuralgraph.compressor.generation import ReportWriter
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.report_graph import Extractor, ReportGraph, extractor
from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY
from neuralgraph.compressor.training.examples import prepared
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.errors import NeuralGraphError
from neuralgraph.graph.fusion import fusion_record
from neuralgraph.graph.study import Study

__all__ = ["WHOLE", "WRITTEN", "Gathered", "Sample", "Settings", "gather", "model_directory", "with_written_report"]

WHOLE, WRITTEN = "whole.ngr", "written.ngr"
"""Archives: all patches with the report's graph; kept patches with the graph of the report written from them."""
_TOGETHER = 16


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is gathered, beside the whole study."""

    model: str
    retain: float
    """Share kept where reports are written from kept patches."""
    work: Path
    """Folder of the archives."""
    tested: frozenset[str]
    """Studies whose reports are scored."""
    pictured: frozenset[str]
    """Studies whose films go through picture codecs too."""


class PictureFeatures(NamedTuple):
    """A film after one picture codec and the encoder."""

    bytes: int
    mean: NDArray[np.float32]
    largest: NDArray[np.float32]
    """float32 [d] each, over all patches."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What is known of one study beside its file."""

    study_id: str
    labels: dict[str, float]
    truth: str
    """Findings and impression of its report."""
    rankings: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    lesion: NDArray[np.float32] | None = None
    """Share of each cell that a finding's mask covers; None where the source does not know."""
    written: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, PictureFeatures] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """All samples, in the order of the cases, and what went wrong."""

    samples: list[Sample]
    failures: dict[str, int]


class _Tools(NamedTuple):
    compressor: Compressor
    writer: ReportWriter
    extractor: Extractor
    model: NeuralGraphModel
    preprocessor: Preprocessor


def model_directory(model: str) -> Path:
    """Where the model lies."""
    return DEMO_DIRECTORY if model == DEMO else Path(model)


@lru_cache(maxsize=1)
def _tools(model: str) -> _Tools:
    directory = model_directory(model)
    reader = extractor("rules")
    return _Tools(
        compressor=Compressor.from_pretrained(directory, policy=TopFraction(1.0), report_graph=reader),
        writer=ReportWriter.from_pretrained(directory),
        extractor=reader,
        model=NeuralGraphModel.from_pretrained(directory),
        preprocessor=Preprocessor.read(directory),
    )


def gather(
    cases: Sequence[Case], settings: Settings, *, workers: int, progress: Callable[[str], None] = lambda _: None
) -> Gathered:
    """Make the archives of ``settings.work`` and the samples; a case that fails is counted by its code and left out."""
    for name in (WHOLE, WRITTEN):
        shutil.rmtree(settings.work / f"{name}.parts", ignore_errors=True)
        (settings.work / f"{name}.parts").mkdir(parents=True)
    chunks = [(tuple(cases[start : start + _TOGETHER]), settings) for start in range(0, len(cases), _TOGETHER)]
    samples: list[Sample] = []
    failures: Counter[str] = Counter()
    for number, (found, failed) in enumerate(_mapped(chunks, workers), 1):
        samples += found
        failures.update(failed)
        if number % 10 == 0 or number == len(chunks):
            progress(f"{len(samples)} studies of {len(cases)}")
    for name in (WHOLE, WRITTEN):
        parts = settings.work / f"{name}.parts"
        ng.pack([parts / f"{sample.study_id}.ngr" for sample in samples], settings.work / name)
        shutil.rmtree(parts)
    return Gathered(samples=samples, failures=dict(sorted(failures.items())))


def _mapped(chunks: list[tuple[tuple[Case, ...], Settings]], workers: int) -> Iterator[tuple[list[Sample], list[str]]]:
    if workers <= 1:
        yield from map(_chunk, chunks)
        return
    # Spawned, not forked: libraries that hold threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        yield from pool.imap(_chunk, chunks)


def _chunk(task: tuple[tuple[Case, ...], Settings]) -> tuple[list[Sample], list[str]]:
    """Samples of some cases, their files written, and the codes of those that failed."""
    cases, settings = task
    tools = _tools(settings.model)
    loaded: list[tuple[Loaded, Study]] = []
    failed = []
    for case in cases:
        try:
            film = case.load()
            study = tools.compressor(
                film.pixels, film.report, labels=film.labels, study_id=case.study_id, store_words=True
            )
        except NeuralGraphError as error:
            failed.append(error.code)
            continue
        loaded.append((film, study))
    if not loaded:
        return [], failed
    studies = [study for _, study in loaded]
    written = _written(studies, [film for film, _ in loaded], settings, tools)
    for study, texts in zip(studies, written, strict=True):
        ng.save(study, settings.work / f"{WHOLE}.parts" / f"{study.study_id}.ngr", embedding="float32")
        kept = with_written_report(study.prune(retain=settings.retain), texts.text["kept"], tools.extractor)
        ng.save(kept, settings.work / f"{WRITTEN}.parts" / f"{study.study_id}.ngr", embedding="float32")
    samples = []
    for (film, study), texts in zip(loaded, written, strict=True):
        view = study.views[0]
        place = view.patch_height, view.patch_width, (view.rows, view.cols)
        inputs = tools.preprocessor(film.pixels)[None]
        samples.append(
            Sample(
                study_id=study.study_id,
                labels=dict(study.labels),
                truth=described_text(film.report),
                rankings={
                    "variance": variance_scores(film.pixels, *place),
                    "saliency": saliency(tools.model, inputs)[0],
                    "own report": texts.own,
                },
                lesion=None
                if film.masks is None
                else coverage(np.any([np.zeros(film.pixels.shape, bool), *film.masks], axis=0), *place),
                written=texts.text,
                pictures=_pictures(film, tools) if study.study_id in settings.pictured else {},
            )
        )
    return samples, failed


class _Texts(NamedTuple):
    text: dict[str, str]
    own: NDArray[np.float32]
    """Attention for the report that the model writes of the whole film itself."""


def _written(studies: Sequence[Study], films: Sequence[Loaded], settings: Settings, tools: _Tools) -> list[_Texts]:
    """Reports from all patches and from those kept; of tested studies also from those kept by other rankings."""
    by_own = []
    texts = {"all": tools.writer.batch(studies)}
    texts["kept"] = tools.writer.batch([study.prune(retain=settings.retain) for study in studies])
    for film, study, text in zip(films, studies, texts["all"], strict=True):
        by_own.append(attention_of(tools.compressor(film.pixels, text, study_id=study.study_id)))
    result = [
        _Texts({name: found[number] for name, found in texts.items()}, by_own[number]) for number in range(len(studies))
    ]
    tested = [number for number, study in enumerate(studies) if study.study_id in settings.tested]
    others: dict[str, Callable[[int], NDArray[np.float32]]] = {
        "kept by own report": lambda number: by_own[number],
        "kept at random": lambda number: random_scores(studies[number]),
    }
    for name, scores in others.items():
        pruned = [ranked_by(studies[n], scores(n)).prune(retain=settings.retain) for n in tested]
        for number, text in zip(tested, tools.writer.batch(pruned), strict=True):
            result[number].text[name] = text
    return result


def with_written_report(study: Study, text: str, reader: Extractor) -> Study:
    """The study with the graph of another report than the one it came with."""
    (graph,) = reader([text]) if text.strip() else (ReportGraph(),)
    concepts, triples = graph.concepts, graph.triples
    n = len(study.patches)
    provenance = {key: value for key, value in study.provenance.items() if key != "fusion"}
    return replace(
        study,
        concepts=concepts,
        mentions=graph.mentions,
        triples=triples,
        fusion=fusion(n, study.edges, len(concepts), triples),
        provenance={**provenance, "report": "generated", **fusion_record(n, len(concepts))},
        report=None,
        word_attention=None,
        concept_vectors=None,
    )


@torch.inference_mode()
def _pictures(film: Loaded, tools: _Tools) -> dict[str, PictureFeatures]:
    """The film as the encoder sees it, 8 bit, through every picture codec and then the encoder."""
    place = tools.preprocessor.geometry(*film.pixels.shape)
    planes = prepared(film.pixels, tools.preprocessor).pixels
    if planes is None:
        raise AssertionError("a prepared film has pixels")
    plane: Plane = np.rint(planes[: place.height, : place.width] / 257).astype(np.uint8)
    sizes, inputs = [], []
    settings = pictures()
    for picture in settings:
        data = picture.encode(plane)
        sizes.append(len(data))
        inputs.append(tools.preprocessor(picture.decode(data, plane.shape).astype(np.float32) / 255))
    embedding = tools.model.encode(torch.stack(inputs)).embedding
    means, largest = embedding.mean(dim=1).numpy(), embedding.amax(dim=1).numpy()
    return {
        picture.name: PictureFeatures(size, mean, most)
        for picture, size, mean, most in zip(settings, sizes, means, largest, strict=True)
    }
