"""Films of ChestX-ray14 with marks, as rows of a manifest with templated reports.

The folder has a ``manifest.csv`` with image, patient_id, labels, boxes (JSON: label, x, y, w, h, source) and mask (one
picture of all outlines of a film). Reports of these films are not published, so a text is made from the marks: finding,
side, zone. It says what a reader would say of them and nothing more.

ChestX-ray14: X. Wang et al., CVPR 2017, films of the NIH Clinical Center (nihcc.app.box.com/v/ChestXray-NIHCC). Boxes
and outlines of source ``chestxdet`` are ChestX-Det's (Deepwise, Apache-2.0); those of source ``nih`` are NIH's own.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuralgraph.compressor.training.places import EVERYTHING, structure_name
from neuralgraph.errors import SourceError
from neuralgraph.sources.layouts import ManifestImage, ManifestRow
from neuralgraph.sources.layouts.marks import Mark

__all__ = ["MARKED", "NORMAL", "nih_rows"]

MARKED, NORMAL = "nih marked", "nih normal"
"""The two sources: films with marks, and films without a finding."""

_READER = "chestxdet"
"""Its readers marked every finding of thirteen kinds; NIH's boxes are one finding each, and loose."""
_NORMAL_TEXTS = (
    "The lungs are clear. No pleural effusion or pneumothorax.",
    "No acute cardiopulmonary abnormality.",
    "Lungs are clear.",
    "No focal consolidation, effusion or pneumothorax. Heart size is normal.",
)
_WORDS = {
    "consolidation": ("consolidation", "opacity", "airspace opacity"),
    "opacity": ("opacity", "airspace opacity", "infiltrate"),
    "pleural effusion": ("pleural effusion", "effusion"),
    "nodule": ("nodule", "nodular opacity"),
}
_ZONES = {
    "upper": ("upper lobe", "upper lung zone", "upper zone", "upper lung"),
    "mid": ("mid lung", "mid zone", "mid lung zone"),
    "lower": ("lower lobe", "lower lung zone", "lower zone", "lower lung", "base"),
}
_UPPER, _LOWER = 0.40, 0.58
"""Shares of the film's height at which the zones part."""


def nih_rows(folder: Path, *, texts: int = 1, seed: int = 0) -> tuple[list[ManifestRow], list[ManifestRow]]:
    """Films with marks, and films that NIH's labels call free of findings.

    Parameters
    ----------
    folder : with ``manifest.csv``.
    texts : rows for each marked film, each with a text of other words.
    seed : of the words.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_CONTENT) : the table cannot be read or lacks something.
    """
    try:
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as stream:
            table = list(csv.DictReader(stream))
        marked = [row for row in table if row["boxes"]]
        normal = [row for row in table if not row["boxes"] and row["labels"] == "No Finding"]
        rows = [_marked(row, folder, number, seed) for row in marked for number in range(texts)]
    except OSError as error:
        raise SourceError(
            f"the table cannot be read ({error.strerror})", code="E_SOURCE_READ", where="manifest.csv"
        ) from error
    except (KeyError, ValueError, TypeError) as error:
        raise SourceError("the table lacks a column or a box", code="E_SOURCE_CONTENT", where="manifest.csv") from error
    return rows, [
        ManifestRow(
            study_key=row["image"],
            patient_key=row["patient_id"],
            images=(ManifestImage(str(folder / row["image"]), row["view"], marked=(EVERYTHING,)),),
            report=_NORMAL_TEXTS[number % len(_NORMAL_TEXTS)],
        )
        for number, row in enumerate(normal)
    ]


def _marked(row: dict[str, str], folder: Path, number: int, seed: int) -> ManifestRow:
    boxes = json.loads(row["boxes"])
    complete = any(box["source"] == _READER for box in boxes)
    chosen = [box for box in boxes if box["source"] == _READER] if complete else boxes
    size = float(row["width"]), float(row["height"])
    rng = np.random.default_rng([seed, number, *row["image"].encode()])
    sentences, marks = _told(chosen, size, rng)
    if row["mask"]:
        marks.append(Mark("", mask=str(folder / row["mask"])))
    text = " ".join(f"{sentence}." for sentence in sentences)
    return ManifestRow(
        study_key=f"{row['image']} {number}",
        patient_key=row["patient_id"],
        images=(
            ManifestImage(
                str(folder / row["image"]), row["view"], marks=tuple(marks), marked=(EVERYTHING,) if complete else ()
            ),
        ),
        report=text if number % 2 else f"FINDINGS:\n{text}",
    )


def _told(
    boxes: Sequence[dict[str, Any]], size: tuple[float, float], rng: np.random.Generator
) -> tuple[list[str], list[Mark]]:
    """Sentences, one for each finding and zone, and the marks that belong to them."""
    places: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for box in boxes:
        x, y = (box["x"] + box["w"] / 2) / size[0], (box["y"] + box["h"] / 2) / size[1]
        upper, lower = (edge + rng.uniform(-0.03, 0.03) for edge in (_UPPER, _LOWER))
        zone = "upper" if y < upper else "mid" if y < lower else "lower"
        name = structure_name(box["label"])
        # The patient's right lies on the left of the film.
        side = "right" if x < 0.5 else "left"
        key = (name, "", "") if name == "cardiomegaly" else (name, side, zone)
        places.setdefault(key, []).append(box)
    sentences, marks = [], []
    order = list(places)
    for place in rng.permutation(len(order)):
        name, side, zone = order[place]
        sentence = _sentence(name, side, zone, rng)
        sentences.append(sentence)
        for box in places[name, side, zone]:
            marks.append(Mark(box["label"], (box["x"], box["y"], box["w"], box["h"]), phrase=sentence))
    return sentences, marks


def _sentence(name: str, side: str, zone: str, rng: np.random.Generator) -> str:
    words = str(rng.choice(_WORDS.get(name, (name,))))
    if not side:
        return f"{words} is present".capitalize()
    where = f"{side} {rng.choice(_ZONES[zone])}"
    if name in ("pleural effusion", "pleural thickening", "pneumothorax") and rng.random() < 0.5:
        where = ""
    form = rng.integers(4)
    if not where:
        sentence = f"{side} {words}" if form % 2 else f"{words} on the {side}"
    elif form == 0:
        sentence = f"{where} {words}"
    elif form == 1:
        sentence = f"there is {words} in the {where}"
    else:
        sentence = f"{words} in the {where}"
    return sentence[0].upper() + sentence[1:]
