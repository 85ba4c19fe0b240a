"""One model on marked films it has never met: every ranking of the patches, film by film."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.demo_model import from_centre
from neuralgraph.compressor.compressor import present_findings
from neuralgraph.compressor.model_scorer import ModelScorer
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.score_rules import ScoreRule, Scoring
from neuralgraph.compressor.training.examples import ExampleSet
from neuralgraph.compressor.training.first_lessons import PatchHead
from neuralgraph.compressor.training.places import LESION
from neuralgraph.compressor.training.seeing import (
    COVERED,
    MarkedFilm,
    area_kept,
    marked_films,
    mean_lesion_map,
    patch_auc,
    pointed,
    resized,
    side_of,
)
from neuralgraph.compressor.training.sides import named_side, swapped_sides

__all__ = ["GROUPS", "LOOKS", "MULTIPLIED", "RETENTIONS", "measures", "rows_of_fold"]

RETENTIONS = (0.023, 0.05, 0.10)
MULTIPLIED = "patch logits times text alone"
LOOKS = "model, six looks"
GROUPS = ("fracture or calcification", "nodule, none of these", "shadows alone")
"""What a film shows: small and rarely marked things apart from the shadows of lung and pleura."""
Row = dict[str, Any]


def measures(score: NDArray[Any], coverage: NDArray[Any]) -> dict[str, float]:
    """Every measure of one ranking of one film."""
    flat = coverage.ravel()
    values = {f"area {retention}": area_kept(score, coverage, retention) for retention in RETENTIONS}
    for retention in RETENTIONS:
        kept = np.argsort(-score.ravel(), kind="stable")[: math.ceil(retention * flat.size)]
        values[f"hit {retention}"] = float((flat[kept] > COVERED).any())
    return {**values, "pointing": float(pointed(score, coverage)), "patch_auc": patch_auc(score, coverage)}


class TextAlone:
    """Where a text says lesions are, for a reader who sees no film.

    That is the mean of the places of phrases that name the same side and zone.

    Parameters
    ----------
    films : that the fold learnt from.
    """

    def __init__(self, films: Sequence[MarkedFilm]) -> None:
        self._everywhere = mean_lesion_map(films)
        places: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
        for film in films:
            for coverage, phrase in film.phrases:
                places.setdefault(_named(phrase), []).append(resized(coverage, *self._everywhere.shape))
        self._means = {place: np.mean(maps, axis=0) for place, maps in places.items()}

    def __call__(self, phrases: Sequence[tuple[NDArray[np.float32], str]]) -> NDArray[np.float64]:
        """The map of the phrases of a text, of which only the words are read."""
        maps = [self._means.get(_named(words), self._everywhere) for _, words in phrases]
        return np.mean(maps, axis=0) if maps else self._everywhere


def _named(phrase: str) -> tuple[str, str]:
    """Side and zone that a phrase names."""
    words = phrase.lower()
    zones = {"upper": "upper", "mid": "mid", "middle": "mid", "lower": "lower", "base": "lower"}
    return named_side(phrase), next((zone for word, zone in zones.items() if word in words), "")


def rows_of_fold(
    model: Path, old: Path | None, check: ExampleSet, learn: ExampleSet, stride: int, *, side: int, written: bool
) -> list[Row]:
    """A row for every marked film: the measures of every ranking, and which texts could be asked.

    Parameters
    ----------
    model : directory, with its patch head.
    old : directory of the model it is compared with; None for none.
    check : the fold's marked films.
    learn : what the fold learnt from; the mean map is of its marked films.
    stride : pixels per side of a patch.
    side : longest side that the model reduces films to, pixels; the old one has its own.
    written : also score by the report that the model writes itself.
    """
    films = marked_films(check, stride)
    people = [film for film in marked_films(learn, stride) if film.source == films[0].source]
    mean, said = mean_lesion_map(people), TextAlone(people)
    scorers = {"model": _scorer(model, "sum", side), "model, findings": _scorer(model, "findings", side)}
    if old is not None:
        scorers["old model"] = _scorer(old, "sum", None)
    looks = [*(_scorer(model, "sum", round(share * side)) for share in (2 / 3, 5 / 6)), scorers["model"]]
    head = PatchHead.read(model)
    rows = []
    for place, film in enumerate(films):
        row = _row(film, films, place, check, scorers, head, mean, said, written=written)
        row["measures"][LOOKS] = measures(_many_looks(film, _pixels(check, film), looks), film.coverage)
        rows.append(row)
    return rows


def _pixels(check: ExampleSet, film: MarkedFilm) -> NDArray[np.float32]:
    return np.divide(check[film.number].pixels, 65535, dtype=np.float32)


def _many_looks(film: MarkedFilm, pixels: NDArray[np.float32], looks: Sequence[ModelScorer]) -> NDArray[np.float64]:
    """The geometric mean of what each says of the film, and of its mirror image under the text with sides swapped."""
    logarithms = []
    for scorer in looks:
        for mirrored in (False, True):
            text = (swapped_sides(film.text) or film.text) if mirrored else film.text
            seen = scorer([np.ascontiguousarray(pixels[:, ::-1]) if mirrored else pixels], [text])[0]
            score = seen.score.reshape(seen.rows, seen.cols)
            score = resized(score[:, ::-1] if mirrored else score, *film.coverage.shape)
            logarithms.append(np.log(np.maximum(score / score.sum(), 1e-9)))
    mean: NDArray[np.float64] = np.exp(np.mean(logarithms, axis=0))
    return mean


def _row(  # noqa: PLR0913 - everything that one row of the table compares
    film: MarkedFilm,
    films: list[MarkedFilm],
    place: int,
    check: ExampleSet,
    scorers: dict[str, ModelScorer],
    head: PatchHead,
    mean: NDArray[np.float64],
    said: TextAlone,
    *,
    written: bool,
) -> Row:
    pixels = _pixels(check, film)
    side, swapped = side_of(film.coverage), swapped_sides(film.text)
    other = next(one for one in (*films[place + 1 :], *films[:place]) if one.patient != film.patient)
    scored = {name: scorer([pixels], [film.text])[0] for name, scorer in scorers.items()}
    model = scorers["model"]
    scored["model, another's report"] = model([pixels], [other.text])[0]
    scored["model, one word"] = model([pixels], ["Opacity."])[0]
    if written:
        scored["model, its own report"] = model([pixels], [None])[0]
    asked = bool(side) and swapped is not None and named_side(film.text) == side
    if asked:
        scored["model, swapped sides"] = model([pixels], [swapped])[0]
    maps = {name: one.score.reshape(one.rows, one.cols) for name, one in scored.items()}
    embedding = torch.from_numpy(scored["model"].embedding)
    maps["patch logits"] = head(embedding)[:, head.structures.index(LESION)].numpy().reshape(film.coverage.shape)
    maps["mean map"] = resized(mean, *film.coverage.shape)
    maps["text alone"] = resized(said(film.phrases), *film.coverage.shape)
    maps[MULTIPLIED] = np.exp(maps["patch logits"] - maps["patch logits"].max()) * maps["text alone"].clip(min=0)
    maps["centre"] = from_centre(scored["model"]).reshape(film.coverage.shape)
    maps["oracle"] = film.coverage
    measured = {name: measures(one, film.coverage) for name, one in maps.items() if one.shape == film.coverage.shape}
    for name, one in maps.items():
        if one.shape != film.coverage.shape:
            measured[name] = measures(one, _regridded(film.coverage, one.shape))
    cells, lesion = film.coverage.size, int((film.coverage > COVERED).sum())
    random = {f"area {each}": math.ceil(each * cells) / cells for each in RETENTIONS}
    random |= {f"hit {each}": _chance(lesion, cells, math.ceil(each * cells)) for each in RETENTIONS}
    measured["random"] = {**random, "pointing": lesion / cells, "patch_auc": 0.5}
    return {
        "patient": film.patient,
        "lesion_patches": lesion / cells,
        "group": _group(film.text),
        "side": side,
        "asked_side": asked,
        "on_side": {name: _on_side(maps[name], side) for name in ("model", "model, swapped sides") if asked},
        "measures": measured,
        "shown": {"score": maps["model"], "coverage": film.coverage, "text": film.text},
        "phrases": _phrases(film, scorers["model"], pixels),
    }


def _group(text: str) -> str:
    """One of ``GROUPS``, by the findings that a text made from the marks names."""
    said = text.lower()
    if "fracture" in said or "calcification" in said:
        return GROUPS[0]
    return GROUPS[1] if "nodul" in said or "mass" in said else GROUPS[2]


def _phrases(film: MarkedFilm, scorer: ModelScorer, pixels: NDArray[np.float32]) -> list[float]:
    """For each phrase of a text, whether the maximum of its words lies on its own place."""
    words = scorer([pixels], [film.text], words=True)[0].words
    hits = []
    for coverage, phrase in film.phrases:
        start = film.text.find(phrase)
        if words is None or start < 0 or not (coverage > COVERED).any():
            continue
        inside = (words.start < start + len(phrase)) & (words.end > start)
        hits.append(float(pointed(words.attention[inside].sum(axis=0), coverage)))
    return hits


def _scorer(directory: Path, rule: ScoreRule, side: int | None) -> ModelScorer:
    reader = extractor("rules", sections="findings+impression")
    scoring = Scoring(rule=rule, findings=lambda text: present_findings(reader, text))
    return ModelScorer.load(directory, scoring=scoring, max_side=side)


def _regridded(coverage: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The coverage on a model's own grid, where that is another one."""
    return resized(coverage, *shape).astype(np.float32)


def _on_side(score: NDArray[Any], side: str) -> float:
    column = int(score.argmax()) % score.shape[1] + 0.5
    return float((column < score.shape[1] / 2) == (side == "right"))


def _chance(hits: int, cells: int, drawn: int) -> float:
    return 1 - math.comb(cells - hits, drawn) / math.comb(cells, drawn)
