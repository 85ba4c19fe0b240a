"""Marks: what readers drew on a film, and which phrase of the report speaks of it.

A mark is a box, an outline or a picture of a mask. What has no mark is unknown, not bare: only where a reader says that
all places of a finding are marked (``ManifestImage.marked``) is the rest of the film free of it.

Three sources: the columns of the generic manifest, COCO JSON (detection sets; MS-CXR, whose boxes have a phrase), and
pictures of masks.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuralgraph.errors import SourceError

__all__ = ["ALL_LABELS", "Mark", "box_marks", "coco_marks", "mark_fields"]

ALL_LABELS = "*"
"""In ``ManifestImage.marked``: every finding that this film shows is marked."""
_PHRASES = ("phrase", "label_text", "caption", "sentence")
"""Names under which an annotation has its phrase; MS-CXR says label_text."""
_LARGEST_FILE = 1 << 29


@dataclass(frozen=True, slots=True)
class Mark:
    """One place on a film. Lengths are pixels of the stored image, from its upper left corner."""

    label: str
    """What is there, as the source calls it; "" where it only says that something is."""
    box: tuple[float, float, float, float] | None = None
    """x, y, width, height."""
    outlines: tuple[tuple[float, ...], ...] = ()
    """Polygons x0, y0, x1, y1, ...; within the box when both are there."""
    mask: str = ""
    """A picture of the film's size: what is not black is meant. With a box, only within the box."""
    phrase: str = ""
    """Words of the report that speak of this place, as the report has them."""


def box_marks(value: Any, masks: Mapping[str, str]) -> tuple[tuple[Mark, ...], ...]:
    """Marks of the columns of a manifest, by image.

    Parameters
    ----------
    value : the cell ``boxes``: a list of maps with label, x, y, w, h, and perhaps phrase, polygon (a list of numbers or
        of such lists) and image (number of the image in its row, from 0), as JSON or as plain data; blank for none.
    masks : path of a picture by label, of the row's first image; "" for one without a label.

    Raises
    ------
    ValueError, TypeError : the cell has another form.
    """
    if isinstance(value, str):
        value = json.loads(value) if value.strip() else None
    items = [] if value is None or value != value else value
    if not isinstance(items, list):
        raise ValueError("not a list of boxes")
    by_image: dict[int, list[Mark]] = {}
    for item in items:
        if not isinstance(item, dict):
            raise ValueError("not a box")
        box = None if "x" not in item else _box([item[name] for name in ("x", "y", "w", "h")])
        outlines = _outlines(item.get("polygon"))
        if box is None and not outlines:
            raise ValueError("a mark without a place")
        number = int(item.get("image") or 0)
        phrase = next((str(item[name]) for name in _PHRASES if item.get(name)), "")
        by_image.setdefault(number, []).append(Mark(str(item.get("label") or ""), box, outlines, phrase=phrase))
    for label, path in masks.items():
        by_image.setdefault(0, []).append(Mark(label, mask=path))
    if not by_image:
        return ()
    if min(by_image) < 0:
        raise ValueError("an image has a number of at least 0")
    return tuple(tuple(by_image.get(number, ())) for number in range(max(by_image) + 1))


def mark_fields(marks: Iterable[Mark], number: int) -> list[dict[str, Any]]:
    """Marks without a mask as ``box_marks`` reads them back."""
    fields = []
    for mark in marks:
        one: dict[str, Any] = {"label": mark.label, "phrase": mark.phrase, "image": number}
        if mark.box is not None:
            one |= dict(zip(("x", "y", "w", "h"), mark.box, strict=True))
        if mark.outlines:
            one["polygon"] = [list(outline) for outline in mark.outlines]
        fields.append({name: value for name, value in one.items() if value not in ("", 0) or name in "xywh"})
    return fields


def coco_marks(path: str | os.PathLike[str]) -> dict[str, tuple[Mark, ...]]:
    """Marks by the image's name or path in a COCO JSON file; images without annotations are not in it.

    Raises
    ------
    SourceError (E_SOURCE_READ) : it cannot be read.
    SourceError (E_SOURCE_CONTENT) : it is no such file.
    SourceError (E_SOURCE_SIZE) : it has more than 512 MiB.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise SourceError("a file of marks has more than 512 MiB", code="E_SOURCE_SIZE", where=file.name)
        values = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(
            f"the file of marks cannot be read ({error.strerror})", code="E_SOURCE_READ", where=file.name
        ) from error
    except (ValueError, RecursionError) as error:
        raise SourceError("the file of marks is not JSON", code="E_SOURCE_CONTENT", where=file.name) from error
    try:
        categories = {one["id"]: str(one["name"]) for one in values.get("categories", [])}
        names = {one["id"]: str(one.get("path") or one["file_name"]) for one in values["images"]}
        found: dict[str, list[Mark]] = {}
        for one in values["annotations"]:
            segments = one.get("segmentation")
            mark = Mark(
                label=categories.get(one.get("category_id"), ""),
                box=_box(one["bbox"]),
                # A segmentation may also be run lengths, which hold nothing that the box does not say roughly.
                outlines=_outlines(segments) if isinstance(segments, list) else (),
                phrase=next((str(one[name]) for name in _PHRASES if one.get(name)), ""),
            )
            found.setdefault(names[one["image_id"]], []).append(mark)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = "the file of marks is not COCO JSON: images, annotations with bbox, categories"
        raise SourceError(reason, code="E_SOURCE_CONTENT", where=file.name) from error
    return {name: tuple(marks) for name, marks in found.items()}


def _box(values: Any) -> tuple[float, float, float, float]:
    x, y, width, height = (float(value) for value in values)
    if not all(map(math.isfinite, (x, y, width, height))) or width <= 0 or height <= 0:
        raise ValueError("a box needs a width and a height")
    return x, y, width, height


def _outlines(value: Any) -> tuple[tuple[float, ...], ...]:
    if not value:
        return ()
    outlines = value if isinstance(value[0], (list, tuple)) else [value]
    numbers = tuple(tuple(float(each) for each in outline) for outline in outlines)
    if any(len(outline) < 6 or len(outline) % 2 for outline in numbers):
        raise ValueError("an outline has at least three corners")
    return numbers
