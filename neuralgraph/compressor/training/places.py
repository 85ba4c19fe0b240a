"""Where things are on a training film: bits of masks, the names of the bits, and what is known of the rest.

A film is kept with masks of one bit for each structure. Three things are told apart for each structure and patch:
covered, bare, and unknown. A film whose reader marked one nodule says nothing about its effusions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.errors import SourceError
from neuralgraph.sources.films.facts import TURNS, Fact
from neuralgraph.sources.films.geometry import turned
from neuralgraph.sources.layouts.marks import ALL_LABELS, Mark

__all__ = ["EVERYTHING", "LESION", "NOT_LOCAL", "Places", "mask_planes", "places_of_marks", "structure_name"]

EVERYTHING = ALL_LABELS
"""In ``Prepared.known``: every structure that this film shows has its bit."""
LESION = "lesion"
"""The structure that every local finding is part of, whatever it is called: what all sources can teach together."""
NOT_LOCAL = ("cardiomegaly", "device", "fracture", "calcification")
"""Findings that are no lesion of lung or pleura; an enlarged heart fills the film."""

_SAME = {
    "effusion": "pleural effusion",
    "infiltrate": "opacity",
    "infiltration": "opacity",
    "lung opacity": "opacity",
    "airspace opacity": "opacity",
    "pneumonia": "opacity",
    "mass": "nodule",
    "diffuse nodule": "nodule",
    "lung lesion": "nodule",
    "enlarged cardiac silhouette": "cardiomegaly",
}
"""What readers of different sets call what is one thing on a film."""


class Places(NamedTuple):
    """The marks of one film."""

    masks: NDArray[np.uint8] | None
    """uint8 [planes, height, width], in the geometry of the model's input; None without marks."""
    structures: tuple[str, ...]
    """Name of each bit; "" for the place of a phrase alone."""
    phrases: tuple[tuple[int, str], ...]
    """(bit, words of the report)."""
    known: tuple[str, ...]
    """Structures of which every place has its bit; ``EVERYTHING`` for all."""


def structure_name(label: str) -> str:
    """What training calls the finding that a source calls ``label``."""
    plain = " ".join(label.lower().replace("_", " ").split())
    return _SAME.get(plain, plain)


def places_of_marks(
    marks: Sequence[Mark],
    marked: Sequence[str],
    shape: tuple[int, int],
    preprocessor: Preprocessor,
    facts: Mapping[str, Fact] | None = None,
) -> Places:
    """Marks of a film as bits of masks.

    Every finding has a bit, every phrase one of its own, and local findings together are ``LESION``.

    Parameters
    ----------
    marks : of the film.
    marked : findings of which all places are marked.
    shape : height and width of the film, pixels.
    preprocessor : of the model.
    facts : of the film; marks are of the picture as it is stored, and follow a film that was turned or stretched.

    Raises
    ------
    SourceError (E_SOURCE_SIZE) : a mask is of another size than the film; what ``read_film`` raises for a mask.
    """
    facts = facts or {}
    stored = facts.get("stored_size")
    drawn_on = (int(stored[0]), int(stored[1])) if isinstance(stored, list) else shape

    def region_of(mark: Mark) -> NDArray[np.bool_]:
        region = turned(_region(mark, drawn_on), str(facts.get("turned") or TURNS[0]))
        rows = (np.arange(shape[0]) * region.shape[0] // shape[0])[:, None]
        shown: NDArray[np.bool_] = region[rows, (np.arange(shape[1]) * region.shape[1] // shape[1])[None, :]]
        return shown

    known = tuple(EVERYTHING if name == EVERYTHING else structure_name(name) for name in marked)
    whole = [region_of(mark) for mark in marks if mark.mask and not mark.label and mark.box is None]
    regions: dict[str, NDArray[np.bool_]] = {}
    said: list[tuple[str, NDArray[np.bool_]]] = []
    for mark in marks:
        if mark.mask and not mark.label and mark.box is None:
            continue
        region = region_of(mark)
        if whole and not (mark.outlines or mark.mask):
            # A mask of all findings together says which part of a box is meant.
            inside = region & np.logical_or.reduce(whole)
            region = inside if inside.any() else region
        name = structure_name(mark.label) or LESION
        regions[name] = regions[name] | region if name in regions else region
        if mark.phrase:
            said.append((mark.phrase, region))
    local = [region for name, region in regions.items() if name not in NOT_LOCAL] + whole
    if local:
        regions[LESION] = np.logical_or.reduce(local)
    if not regions:
        return Places(None, (), (), known)
    names = sorted(regions)
    by_phrase: dict[str, NDArray[np.bool_]] = {}
    for phrase, region in said:
        by_phrase[phrase] = by_phrase[phrase] | region if phrase in by_phrase else region
    every = [regions[name] for name in names] + list(by_phrase.values())
    return Places(
        mask_planes(every, preprocessor),
        (*names, *("" for _ in by_phrase)),
        tuple((len(names) + number, phrase) for number, phrase in enumerate(by_phrase)),
        known,
    )


def mask_planes(regions: Sequence[NDArray[np.bool_]], preprocessor: Preprocessor) -> NDArray[np.uint8]:
    """Regions of a film, bool [height, width] each, as bits in the geometry of the model's input.

    Returns
    -------
    uint8 [planes, height', width'] : bit k of plane p is region 8 p + k.
    """
    height, width = regions[0].shape
    place = preprocessor.geometry(height, width)
    rows = (np.arange(place.height) * height // place.height)[:, None]
    columns = (np.arange(place.width) * width // place.width)[None, :]
    bits = np.zeros((math.ceil(len(regions) / 8), place.height, place.width), np.uint8)
    for number, region in enumerate(regions):
        bits[number // 8] |= region[rows, columns].astype(np.uint8) << number % 8
    below, beside = place.rows * preprocessor.stride, place.cols * preprocessor.stride
    return np.pad(bits, ((0, 0), (0, below - place.height), (0, beside - place.width)), mode="edge")


def _region(mark: Mark, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of a mark, bool [height, width]."""
    height, width = shape
    region = np.ones(shape, np.bool_)
    if mark.box is not None:
        x, y, w, h = mark.box
        region[:] = False
        top, left = max(0, math.floor(y)), max(0, math.floor(x))
        region[top : max(top, math.ceil(y + h)), left : max(left, math.ceil(x + w))] = True
    if mark.outlines:
        canvas = Image.new("1", (width, height))
        for outline in mark.outlines:
            ImageDraw.Draw(canvas).polygon(list(outline), fill=1)
        region &= np.asarray(canvas, np.bool_)
    if mark.mask:
        region &= _picture(mark.mask, shape)
    return region


def _picture(path: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask, which is no film: a picture of two greys is what is wanted. Its size is known before it is decoded."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            if image.size != shape[::-1]:
                width, height = image.size
                reason = f"a mask has {width} x {height} pixels, its film {shape[1]} x {shape[0]}"
                raise SourceError(reason, code="E_SOURCE_SIZE", where="mask")
            samples: NDArray[np.uint8] = np.asarray(image.convert("RGB"), np.uint8)
            marked: NDArray[np.bool_] = samples.max(axis=2) > 0
            return marked
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise SourceError("a mask cannot be read as a PNG picture", code="E_SOURCE_READ", where="mask") from error
