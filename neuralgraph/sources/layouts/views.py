"""Which image of a study stands for it, and what a table's words say about its view.

A film counts as PA or AP only when the source says so: about a third of the images of MIMIC-CXR are lateral, so taking
the first file of a folder is wrong that often.
"""

from __future__ import annotations

from collections.abc import Sequence

from neuralgraph.sources.layouts.manifest import ManifestImage

__all__ = ["FRONTAL", "choose_images", "mimic_view"]

FRONTAL: tuple[str, ...] = ("PA", "AP", "FRONTAL")
"""Views that count as frontal, best first."""

# What MIMIC-CXR writes that is a frontal or lateral view in a position that is not the standard one, or another view.
_POSITION_WORDS: dict[str, str] = {
    "PA": "PA",
    "AP": "AP",
    "LATERAL": "LATERAL",
    "LL": "LL",
    "RL": "RL",
}
_CODE_MEANINGS: dict[str, str] = {
    "postero-anterior": "PA",
    "antero-posterior": "AP",
    "lateral": "LATERAL",
    "left lateral": "LL",
    "right lateral": "RL",
}
# Procedures that are one film of one view; "CHEST (PA AND LAT)" says nothing about a single image.
_PROCEDURES: dict[str, str] = {
    "CHEST (PORTABLE AP)": "AP",
    "CHEST (PA)": "PA",
    "CHEST (AP)": "AP",
}


def mimic_view(position: str, code_meaning: str, procedure: str) -> str:
    """The view of an image of MIMIC-CXR: by position, else by code meaning, else by procedure.

    Parameters
    ----------
    position : ViewPosition; "AP AXIAL", "PA LLD" and their like are not the standard view and become OTHER.
    code_meaning : ViewCodeSequence_CodeMeaning.
    procedure : PerformedProcedureStepDescription.

    Returns
    -------
    str
        one of ``VIEW_POSITIONS``; "unknown" where none of the three settles it.
    """
    if word := position.strip().upper():
        return _POSITION_WORDS.get(word, "OTHER")
    if meaning := code_meaning.strip().lower():
        return _CODE_MEANINGS.get(meaning, "OTHER")
    return _PROCEDURES.get(procedure.strip().upper(), "unknown")


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
