"""Which image of a study stands for it, and what a table's words say about its view.

A film counts as PA or AP only when the source says so: about a third of the images of MIMIC-CXR are lateral, so taking
the first file of a folder is wrong that often.
"""

from __future__ import annotations

from collections.abc import Sequence

from neuralgraph.sources.films.view_words import read_view
from neuralgraph.sources.layouts.manifest import ManifestImage

__all__ = ["FRONTAL", "choose_images", "mimic_view"]

FRONTAL: tuple[str, ...] = ("PA", "AP", "FRONTAL")
"""Views that count as frontal, best first."""


def mimic_view(position: str, code_meaning: str, procedure: str) -> str:
    """The view of an image of MIMIC-CXR: by position, else by code meaning, else by procedure.

    Parameters
    ----------
    position : ViewPosition; "AP AXIAL", "PA LLD" and their like are not the standard view and become OTHER.
    code_meaning : ViewCodeSequence_CodeMeaning.
    procedure : PerformedProcedureStepDescription; "CHEST (PORTABLE AP)" is one film of one view, "CHEST (PA AND LAT)"
        says nothing about a single image.

    Returns
    -------
    str : one of ``VIEW_POSITIONS``, or FRONTAL; "unknown" where none of the three settles it.
    """
    for words in (position, code_meaning):
        if words.strip():
            return read_view(words).projection or "OTHER"
    stated = read_view(procedure).projection
    return stated if stated in FRONTAL else "unknown"


def choose_images(
    images: Sequence[ManifestImage], views: Sequence[str] | None, *, one: bool
) -> tuple[tuple[ManifestImage, ...], str]:
    """The images that are converted, and the reason when there are none.

    Parameters
    ----------
    images : all of a study.
    views : wanted views, best first; None takes every image, known view or not.
    one : take the best only: by the order of ``views``, then the earliest, then the smaller name.

    Returns
    -------
    images : chosen, best first when ``views`` are given, else in the order given.
    reason : a key of ``REASONS``, or "".
    """
    if not images:
        return (), "no_image"
    if views is None:
        return (tuple(images[:1]) if one else tuple(images)), ""
    rank = {view: number for number, view in enumerate(views)}
    wanted = sorted(
        (image for image in images if image.view in rank), key=lambda image: (rank[image.view], image.order, image.path)
    )
    if not wanted:
        return (), "view_unknown" if any(image.view == "unknown" for image in images) else "no_frontal"
    return (tuple(wanted[:1]) if one else tuple(wanted)), ""
