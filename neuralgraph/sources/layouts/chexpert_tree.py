"""What CheXpert and CheXpert Plus share: paths train/patient00001/study1/view1_frontal.jpg and the words for views."""

from __future__ import annotations

import re
from typing import NamedTuple

from neuralgraph.sources.films.view_words import read_view

__all__ = ["PathParts", "chexpert_view", "path_parts"]

_PATH = re.compile(r"(?:.*/)?((train|valid|test)/(patient\d+)/study(\d+)/(view(\d+)_(?:frontal|lateral))\.\w+)")
_SPLITS = {"train": "train", "valid": "validate", "test": "test"}


class PathParts(NamedTuple):
    """A path as CheXpert writes it, taken apart."""

    relative: str
    """From the split on; what precedes is where the publisher's copy lay."""
    stem: str
    """``relative`` without its extension."""
    study_key: str
    """patient00001/study1; patients never belong to two splits."""
    patient: str
    split: str
    """train, validate or test."""
    study_number: int
    view_number: int


def path_parts(path: str) -> PathParts | None:
    """The parts of a path; None where it does not have CheXpert's form."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    relative, split, patient, study, view, number = match.groups()
    key = f"{patient}/study{study}"
    return PathParts(relative, f"{split}/{key}/{view}", key, patient, _SPLITS[split], int(study), int(number))


def chexpert_view(side: str, projection: str) -> str:
    """One of ``VIEWS``.

    Parameters
    ----------
    side : the column that says Frontal or Lateral; it decides first, since a few lateral images say AP.
    projection : the column that says AP, PA, LL or RL.
    """
    plane, stated = read_view(side).projection, read_view(projection).projection
    if plane == "LATERAL":
        return stated if stated in ("LL", "RL") else "LATERAL"
    if plane != "FRONTAL":
        return "unknown"
    if stated in ("unknown", "FRONTAL"):
        return "FRONTAL"
    return stated if stated in ("AP", "PA") else "OTHER"
