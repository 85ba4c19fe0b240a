"""Does a model see, and does it read? Asked of marked films, with and without the right report.

Definitions, the same here and in the benchmarks: a lesion patch is covered by more than a tenth; kept are
``kept_patches``; *area* is the share of the lesion's area in the kept patches; *pointing*: the maximum lies on a
lesion patch; *patch AUC*: the order of all patches. *Reading*: on films with lesions on one side, how much oftener the
maximum lies on that side under the true text than under the text with its sides swapped; and the area under a film's
own text less that under another patient's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.scoring import score_reports
from neuralgraph.compressor.training.examples import ExampleSet
from neuralgraph.compressor.training.places import LESION
from neuralgraph.compressor.training.report_text import described_text
from neuralgraph.compressor.training.sides import named_side, swapped_sides
from neuralgraph.graph.retention import kept_patches

__all__ = [
    "COVERED",
    "RETENTION",
    "MarkedFilm",
    "area_kept",
    "auc",
    "marked_films",
    "mean_lesion_map",
    "patch_auc",
    "pointed",
    "resized",
    "seeing",
    "side_of",
]

COVERED = 0.1
"""Share of a patch from which it is a lesion patch."""
RETENTION = 0.023
"""Share of the patches that are kept."""
_ONE_SIDED = 0.9
"""Share of a lesion's area in one half of the film from which it has a side."""
_SIDE = 32
"""Rows and columns of a mean map."""


class MarkedFilm(NamedTuple):
    """A film whose lesions are known."""

    number: int
    """Of the example."""
    coverage: NDArray[np.float32]
    """Share of each patch that lesions cover, [rows, cols]."""
    text: str
    phrases: tuple[tuple[NDArray[np.float32], str], ...]
    """Coverage of a place, [rows, cols], and the words that speak of it."""
    patient: str
    source: str


def marked_films(examples: ExampleSet, stride: int, *, most: int = 0) -> list[MarkedFilm]:
    """The films of a set on which a lesion is marked.

    Parameters
    ----------
    examples : the set.
    stride : pixels per side of a patch.
    most : how many at most, evenly over the set; 0 for all.
    """
    numbers = [number for number in examples.annotated if LESION in examples[number].structures]
    if most and len(numbers) > most:
        numbers = [numbers[place * len(numbers) // most] for place in range(most)]
    found = []
    for number in numbers:
        example = examples[number]

        def covered(bit: int, masks: NDArray[np.uint8] | None = example.masks) -> NDArray[np.float32]:
            if masks is None:
                raise AssertionError("an annotated example has masks")
            plane = (masks[bit // 8] >> bit % 8 & 1).astype(np.float32)
            rows, cols = plane.shape[0] // stride, plane.shape[1] // stride
            shares: NDArray[np.float32] = plane.reshape(rows, stride, cols, stride).mean(axis=(1, 3))
            return shares

        coverage = covered(example.structures.index(LESION))
        if (coverage > COVERED).any():
            phrases = tuple((covered(bit), words) for bit, words in example.phrases)
            text = described_text(example.report)
            found.append(MarkedFilm(number, coverage, text, phrases, example.patient, example.source))
    return found


def area_kept(score: NDArray[Any], coverage: NDArray[Any], retention: float = RETENTION) -> float:
    """Share of the lesion's area in the patches of highest score; arrays of one shape."""
    flat = coverage.ravel()
    kept = np.argsort(-score.ravel(), kind="stable")[: kept_patches(retention, flat.size)]
    return float(flat[kept].sum() / flat.sum())


def pointed(score: NDArray[Any], coverage: NDArray[Any]) -> bool:
    """Whether the maximum lies on a lesion patch."""
    return bool(coverage.ravel()[int(score.argmax())] > COVERED)


def patch_auc(score: NDArray[Any], coverage: NDArray[Any]) -> float:
    """How often a lesion patch scores more than another; NaN when all patches are of one kind."""
    return auc(score.ravel(), (coverage.ravel() > COVERED).astype(np.float64))


def auc(score: NDArray[Any], truth: NDArray[Any]) -> float:
    """Area under the ROC curve; ties count half. NaN when truth, 1 or 0, is of one kind; NaN in it is left out."""
    inside, outside = np.sort(score[truth == 1]), np.sort(score[truth == 0])
    if not inside.size or not outside.size:
        return math.nan
    below = np.searchsorted(outside, inside, "left") + np.searchsorted(outside, inside, "right")
    return float(below.mean() / 2 / outside.size)


def side_of(coverage: NDArray[Any]) -> str:
    """The patient's side on which a lesion lies, "right" (left half of the film) or "left"; "" for both."""
    half = coverage.shape[1] / 2
    weight = np.clip(half - np.arange(coverage.shape[1]), 0, 1)
    share = float((coverage.sum(axis=0) * weight).sum() / coverage.sum())
    return "right" if share > _ONE_SIDED else "left" if share < 1 - _ONE_SIDED else ""


def mean_lesion_map(films: Sequence[MarkedFilm]) -> NDArray[np.float64]:
    """Where lesions lie on average, [32, 32]: the best map of a reader who sees neither film nor report."""
    total = np.zeros((_SIDE, _SIDE))
    for film in films:
        total += resized(film.coverage, _SIDE, _SIDE)
    return total / max(1, len(films))


def resized(values: NDArray[Any], rows: int, cols: int) -> NDArray[np.float64]:
    """A map on another grid, bilinear, averaging where it reduces."""
    tensor = torch.from_numpy(np.ascontiguousarray(values, np.float64))[None, None]
    fitted: NDArray[np.float64] = torch.nn.functional.interpolate(
        tensor, size=(rows, cols), mode="bilinear", antialias=True
    )[0, 0].numpy()
    return fitted


@torch.inference_mode()
def seeing(
    model: NeuralGraphModel,
    tokenizer: ReportTokenizer,
    preprocessor: Preprocessor,
    examples: ExampleSet,
    films: Sequence[MarkedFilm],
    mean_map: NDArray[np.float64],
) -> dict[str, float]:
    """What a model sees and reads on marked films.

    Parameters
    ----------
    model : in evaluation mode, on any device.
    tokenizer, preprocessor : of the model.
    examples : the set that ``films`` were found in.
    films : at least one.
    mean_map : of other patients' films.

    Returns
    -------
    dict : area_kept, pointing, patch_auc, phrase_pointing; mean_map_area, random_area; side_gain (true side less
    swapped side) and text_gain (own report less another patient's, area), where there are such films.
    """
    rows: dict[str, list[float]] = {}
    device = next(model.parameters()).device
    for place, film in enumerate(films):
        example = examples[film.number]
        pixels = torch.from_numpy(example.pixels.astype(np.float32) / 65535)
        pixels = ((pixels - preprocessor.mean) / preprocessor.std).expand(1, preprocessor.channels, -1, -1)
        encoded = model.encode(pixels.to(device))
        texts = {"own": film.text}
        other = next((one for one in (*films[place + 1 :], *films[:place]) if one.patient != film.patient), None)
        if other is not None:
            texts["other"] = other.text
        side, swapped = side_of(film.coverage), swapped_sides(film.text)
        if side and swapped is not None and named_side(film.text) == side:
            texts["swapped"] = swapped
        scored = {
            name: score_reports(model, tokenizer, encoded, [text], words=name == "own")[0]
            for name, text in texts.items()
        }
        own = scored["own"].score.reshape(film.coverage.shape)
        values = {
            "area_kept": area_kept(own, film.coverage),
            "pointing": float(pointed(own, film.coverage)),
            "patch_auc": patch_auc(own, film.coverage),
            "mean_map_area": area_kept(resized(mean_map, *film.coverage.shape), film.coverage),
            "random_area": kept_patches(RETENTION, film.coverage.size) / film.coverage.size,
        }
        if "other" in scored:
            values["text_gain"] = values["area_kept"] - area_kept(scored["other"].score, film.coverage)
        if "swapped" in scored:
            under = scored["swapped"].score.reshape(film.coverage.shape)
            values["side_gain"] = float(_on_side(own, side)) - float(_on_side(under, side))
        words = scored["own"].words
        for coverage, phrase in film.phrases if words is not None else ():
            start = film.text.find(phrase)
            inside = (words.start < start + len(phrase)) & (words.end > start) if words is not None else ()
            if start >= 0 and words is not None and np.any(inside) and (coverage > COVERED).any():
                hit = float(pointed(words.attention[inside].sum(axis=0), coverage))
                rows.setdefault("phrase_pointing", []).append(hit)
        for name, value in values.items():
            rows.setdefault(name, []).append(value)
    return {name: float(np.nanmean(values)) for name, values in rows.items()}


def _on_side(score: NDArray[Any], side: str) -> bool:
    """Whether the maximum lies in the half of the film where the patient's side is."""
    column = int(score.argmax()) % score.shape[1] + 0.5
    return bool((column < score.shape[1] / 2) == (side == "right"))
