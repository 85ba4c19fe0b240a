"""The compressor: film and report to study, one step after another.

score (model) -> prune (policy) -> report graph (extractor) -> fuse -> study. Each step is a part that can be exchanged;
this file only joins them and records what they did.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuralgraph.compressor.fusion import fusion
from neuralgraph.compressor.pruning import DEFAULT_POLICY, PruningPolicy
from neuralgraph.compressor.report_graph import Extractor, ReportGraph, extractor
from neuralgraph.compressor.score_rules import ScoreRule, Scoring
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.compressor.scorer import DEMO, Scorer, load_scorer
from neuralgraph.errors import SourceError
from neuralgraph.graph.adjacency import grid_edges
from neuralgraph.graph.fusion import fusion_record
from neuralgraph.graph.patches import Patches
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View
from neuralgraph.graph.words import WordAttention
from neuralgraph.sources import Film, film_from_array, normalise_report, read_film
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["Compressor", "Image", "present_findings"]

Image: TypeAlias = Film | NDArray[Any] | str | os.PathLike[str]
"""A film, its pixels (2-D, bones bright), or the path of an image or DICOM file."""

_STUDIES_AT_ONCE = 64
"""Studies of a batch that are read and scored before the first of them is finished."""
_LOCATED_AT, _MODIFY = (RELATIONS.index(name) for name in ("located_at", "modify"))
_PRESENT = frozenset({"Observation::definitely present", "Observation::measurement::definitely present"})
_DIGEST_DIGITS = 32
"""Hex digits of the model digest that provenance keeps: 128 bits tell models apart."""


@dataclass(frozen=True)
class _Said:
    """What is said of a study beside its films and its report; see ``Compressor.__call__``."""

    labels: Mapping[str, float] = field(default_factory=dict)
    labeler: str = ""
    study_id: str | None = None
    graph: ReportGraph | None = None
    report_key: str | None = None


@dataclass(frozen=True)
class Compressor:
    """Makes studies of films and reports."""

    scorer: Scorer
    """Gives every patch an embedding and a score."""
    policy: PruningPolicy = DEFAULT_POLICY
    """Which patches survive; the paper's top 2.3 % by default."""
    extractor: Extractor | None = None
    """Report text to concepts and triples."""
    generated_graph: bool = False
    """Read the model's own text too, where no report is given. Its concepts then stand in the study as a radiologist's
    would, and only the study's ``report`` = "generated" tells them apart."""

    @classmethod
    def from_pretrained(  # noqa: PLR0913 - every choice that makes a compressor; a user writes it flat
        cls,
        model: str | os.PathLike[str] = DEMO,
        *,
        policy: PruningPolicy = DEFAULT_POLICY,
        report_graph: str | Extractor = "rules",
        score: ScoreRule = "sum",
        device: str = "cpu",
        dtype: Literal["float32", "bfloat16", "float16"] = "float32",
        batch_size: int = 1,
        generated_graph: bool = False,
        max_side: int | None = None,
    ) -> Compressor:
        """A compressor around a model.

        Parameters
        ----------
        model : "demo" for the bundled model, a local directory, or ``owner/name`` of a model on the Hugging Face hub
            (HF_HUB_OFFLINE=1 asks the local cache only).
        policy : which patches survive.
        report_graph : an extractor, or the name of one of ``report_graph.EXTRACTORS`` that needs no options.
        score : how attention becomes a score: "sum" (the paper's), "contrast", "findings" or "gradient"; see
            ``neuralgraph.compressor.score_rules``.
        device, dtype : where and how precisely the model runs.
        batch_size : films of one grid that ``batch`` passes through the model together. With 1 a study never depends
            on the company it was made in; with more, scores and embeddings may differ in the last bits (1e-5).
        generated_graph : also keep the concepts of what the model writes where no report is given.
        max_side : longest side in pixels that films are reduced to, instead of the model's own: a longer one gives a
            finer grid. Grid and size of a patch are in the study.

        Raises
        ------
        MissingExtraError (E_EXTRA) : a library of the extras vlm or text is not installed.
        ModelError (E_MODEL, E_MODEL_ATTENTION) : the model cannot be loaded, or gives no usable attention.
        """
        source = model if isinstance(model, str) else Path(model)
        reader = extractor(report_graph) if isinstance(report_graph, str) else report_graph
        findings = None if reader.name == "none" else partial(present_findings, reader)
        scorer = load_scorer(
            source,
            scoring=Scoring(rule=score, findings=findings),
            device=device,
            dtype=dtype,
            batch_size=batch_size,
            max_side=max_side,
        )
        return cls(scorer, policy, reader, generated_graph)

    def __call__(  # noqa: PLR0913 - what may be said of one study; a user writes it flat
        self,
        image: Image | Sequence[Image],
        report: str | None = None,
        *,
        labels: Mapping[str, float] | None = None,
        labeler: str = "",
        study_id: str | None = None,
        graph: ReportGraph | None = None,
        report_key: str | None = None,
        store_report: bool = False,
        store_pixels: bool = False,
        store_words: bool = False,
    ) -> Study:
        """One study.

        Parameters
        ----------
        image : a film, or several films of the same study (PA and lateral), which are pruned together.
        report : the text of the report. Without one (None or blank) a text that the model writes scores the patches,
            and the study says so; nothing of that text is kept, no concept and no word, unless ``generated_graph``.
        labels : values by name, as the source has them.
        labeler : who or what made the labels.
        study_id : an identifier of the caller's choice. By default one made from the content, so that nothing of the
            source shows and the same input gives the same id.
        graph : the graph of ``report`` where there is one already; then the extractor is not asked.
        report_key : by what an extractor that looks reports up (``radgraph-json``) finds this one; not kept.
        store_report : keep the text in the study.
        store_pixels : keep the kept patches as images, cut from the films.
        store_words : keep where the model looked for each word of the report; see ``Study.word_attention``.

        Raises
        ------
        SourceError : a film or the report cannot be used.
        StudyError : a label or the id breaks a rule.
        """
        films = _films(image)
        (scored,) = self._score([(films, _text(report))], words=store_words)
        said = _Said(labels or {}, labeler, study_id, graph, report_key)
        return self._study(films, scored, said, store_report=store_report, store_pixels=store_pixels)

    def batch(self, items: Iterable[tuple[Image | Sequence[Image], str | None]]) -> list[Study]:
        """Studies of (image, report) pairs, in order; each as if made alone, up to what ``batch_size`` says.

        Films of one grid go through the model together, whichever studies they belong to.

        Raises
        ------
        SourceError : a film or a report cannot be used.
        """
        studies: list[Study] = []
        waiting = iter(items)
        while part := [(_films(image), _text(report)) for image, report in islice(waiting, _STUDIES_AT_ONCE)]:
            for (films, _), scored in zip(part, self._score(part), strict=True):
                studies.append(self._study(films, scored, _Said()))
        return studies

    def _score(
        self, studies: Sequence[tuple[list[Film], str | None]], *, words: bool = False
    ) -> list[list[ScoredFilm]]:
        """The films of some studies, scored. Without a report the first film has one written, for all of them."""
        first = self.scorer([films[0].pixels for films, _ in studies], [text for _, text in studies], words=words)
        others = [(number, film) for number, (films, _) in enumerate(studies) for film in films[1:]]
        scored = [[result] for result in first]
        rest = self.scorer(
            [film.pixels for _, film in others], [first[number].text for number, _ in others], words=words
        )
        for (number, _), result in zip(others, rest, strict=True):
            scored[number].append(result)
        return scored

    def _study(
        self,
        films: list[Film],
        scored: list[ScoredFilm],
        said: _Said,
        *,
        store_report: bool = False,
        store_pixels: bool = False,
    ) -> Study:
        views = tuple(_view(film, result) for film, result in zip(films, scored, strict=True))
        patches = _prune(scored, self.policy)
        # What a model wrote never stands where a radiologist's words would, unless asked for.
        told = self.generated_graph or not scored[0].generated
        text = scored[0].text if told else None
        own = None if scored[0].generated else said.graph
        graph = self._read(text, said.report_key) if own is None else own
        edges = grid_edges(patches.view, patches.row, patches.col)
        study = Study(
            study_id=said.study_id or "unnamed",
            views=views,
            patches=patches,
            concepts=graph.concepts,
            triples=graph.triples,
            mentions=graph.mentions,
            fusion=fusion(len(patches), edges, len(graph.concepts), graph.triples),
            labels=said.labels,
            provenance={
                **self._provenance(films, scored[0]),
                **fusion_record(len(patches), len(graph.concepts)),
                **({"labeler": said.labeler} if said.labeler else {}),
            },
            report=(text or None) if store_report else None,
            pixels=_cut(films, views, patches) if store_pixels else None,
            word_attention=_words(scored) if told else None,
        )
        # Its name is the digest of everything else, which only the study itself can give.
        return study if said.study_id else replace(study, study_id=f"study-{study.digest[:16]}")

    def _read(self, text: str | None, key: str | None) -> ReportGraph:
        if self.extractor is None or text is None:
            return ReportGraph()
        (graph,) = self.extractor([text], [key])
        return graph

    def _provenance(self, films: list[Film], scored: ScoredFilm) -> dict[str, Any]:
        record = self.scorer.record
        model = {"name": record["model"], "digest": record["digest"][:_DIGEST_DIGITS], "trained": record["trained"]}
        if record["dtype"] != "float32":
            model["dtype"] = record["dtype"]
        provenance: dict[str, Any] = {
            "model": model,
            "score": {"rule": scored.rule, "layer": record["layer"], "heads": record["heads"]},
            "prune": self.policy.record,
            "report": ("generated" if scored.text else "none") if scored.generated else "given",
            "films": [dict(film.facts) for film in films],
        }
        if self.extractor is not None:
            provenance["extractor"] = {
                "name": self.extractor.name,
                "version": self.extractor.version,
                "fingerprint": self.extractor.fingerprint[:16],
            }
        return provenance


def present_findings(reader: Extractor, text: str) -> list[tuple[int, int]]:
    """Places of the findings that are definitely there, and of the words that say where they are.

    A decoder reads "right lower lobe" after "opacity": only at these words can it know the side.
    """
    (graph,) = reader([text])
    counted = {number for number, concept in enumerate(graph.concepts) if concept.label in _PRESENT}
    rows = graph.triples.tolist()
    counted |= {tail for head, relation, tail in rows if relation == _LOCATED_AT and head in counted}
    counted |= {head for head, relation, tail in rows if relation == _MODIFY and tail in counted}
    return [(graph.concepts[number].start, graph.concepts[number].end) for number in sorted(counted)]


def _text(report: str | None) -> str | None:
    return normalise_report(report) if report is not None and report.strip() else None


def _films(image: Image | Sequence[Image]) -> list[Film]:
    images = list(image) if isinstance(image, list | tuple) else [image]
    if not images:
        raise SourceError("a study needs at least one film", code="E_SOURCE_EMPTY", where="image")
    films = []
    for item in images:
        if isinstance(item, Film):
            films.append(item)
        elif isinstance(item, np.ndarray):
            films.append(film_from_array(item))
        else:
            films.append(read_film(item))  # type: ignore[arg-type]  # what is left of Image is a path
    return films


def _view(film: Film, scored: ScoredFilm) -> View:
    height, width = film.pixels.shape
    return View.from_scores(
        scored.score.reshape(scored.rows, scored.cols),
        height=height,
        width=width,
        patch_height=scored.patch_height,
        patch_width=scored.patch_width,
        position=film.position,
    )


def _prune(scored: list[ScoredFilm], policy: PruningPolicy) -> Patches:
    """The surviving patches of all films, ranked against each other."""
    score = np.concatenate([result.score for result in scored])
    kept = policy.select(score)
    sizes = np.array([result.rows * result.cols for result in scored])
    ends = np.cumsum(sizes)
    view = np.searchsorted(ends, kept, side="right")
    within = kept - (ends - sizes)[view]
    row, col = np.divmod(within, np.array([result.cols for result in scored])[view])
    embedding = np.empty((len(kept), scored[0].embedding.shape[1]), np.float32)
    for number, result in enumerate(scored):
        mine = view == number
        embedding[mine] = result.embedding[within[mine]]
    return Patches(row=row, col=col, score=score[kept], embedding=embedding, view=view.astype(np.int32))


def _words(scored: list[ScoredFilm]) -> WordAttention | None:
    """The maps of the words over all films, None when they were not asked for or the report has no word."""
    maps = [result.words for result in scored if result.words is not None]
    if not maps or not len(maps[0].start):
        return None
    return WordAttention.from_maps(maps[0].start, maps[0].end, np.concatenate([one.attention for one in maps], axis=1))


def _cut(films: list[Film], views: tuple[View, ...], patches: Patches) -> NDArray[Any]:
    """uint8 or uint16 [n, height, width]: the kept patches at the films' own resolution, black beyond the edge."""
    height = max(1, round(max(view.patch_height for view in views)))
    width = max(1, round(max(view.patch_width for view in views)))
    deep = any(isinstance(bits := film.facts.get("bits_stored"), int) and bits > 8 for film in films)
    largest, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    pixels = np.zeros((len(patches), height, width), dtype)
    for number, (view, row, col) in enumerate(zip(patches.view, patches.row, patches.col, strict=True)):
        top, left, _, _ = views[view].box(int(row), int(col))
        piece = films[view].pixels[round(top) : round(top) + height, round(left) : round(left) + width]
        pixels[number, : piece.shape[0], : piece.shape[1]] = np.rint(piece * largest)
    return pixels
