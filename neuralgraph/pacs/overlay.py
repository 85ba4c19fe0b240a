"""The kept patches as a Grayscale Softcopy Presentation State (PS3.3 A.33.1): frames that viewers draw over the film.

The state changes nothing of the film and holds no pixels of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import missing_extra
from neuralgraph.graph.study import Study
from neuralgraph.pacs.identity import check_film_of, film_facts, made_uid, settle_moment, stored_size
from neuralgraph.sources.films.dicom_header import quiet_pydicom
from neuralgraph.sources.films.facts import TURNS
from neuralgraph.sources.films.geometry import as_stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["overlay_object", "patch_frames"]

_LABEL = "NEURAL"


def patch_frames(study: Study, view: int) -> Iterator[NDArray[np.float64]]:
    """The outline of every kept patch of one film, most attended first.

    Returns
    -------
    iterator of float64 [5, 2] : (column, row) of the corners in pixels of the film as its source stores it, the first
        again at the end; clipped to the film. A film that was turned, or made of square pixels, is undone to where
        viewers expect the frames.
    """
    place = study.views[view]
    patches = study.patches
    turn = film_facts(study, view).get("turned")
    # Facts are free: a file of others may hold any word.
    turn = turn if isinstance(turn, str) and turn in TURNS else "none"
    rows, columns = stored_size(study, view)
    # The picture as stored, in square pixels.
    height, width = (place.width, place.height) if TURNS.index(turn) >= 4 else (place.height, place.width)
    for number in np.flatnonzero(patches.view == view):
        top, left = patches.row[number] * place.patch_height, patches.col[number] * place.patch_width
        bottom = min(top + place.patch_height, place.height)
        right = min(left + place.patch_width, place.width)
        corners = []
        for row, column in ((top, left), (top, right), (bottom, right), (bottom, left), (top, left)):
            row, column = as_stored(row, column, height=place.height, width=place.width, turn=turn)
            corners.append((column * columns / width, row * rows / height))
        yield np.array(corners, np.float64)


def overlay_object(study: Study, view: int, source: Any) -> Any:
    """The presentation state of one film.

    Parameters
    ----------
    study : with kept patches.
    view : which of its films.
    source : that film, as ``identity.read_source`` gives it.

    Returns
    -------
    pydicom Dataset : with file meta information.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : not a film of the study. E_SOURCE_DAMAGED: its header cannot be used.
    MissingExtraError (E_EXTRA) : highdicom is not installed.
    """
    check_film_of(study, view, source)
    try:
        from highdicom import pr
    except ImportError as error:
        raise missing_extra("presentation states", extra="pacs", library="highdicom") from error
    with quiet_pydicom("the film's header cannot be used"):
        layer = pr.GraphicLayer("ATTENTION", order=1, description="patches kept, most attended first")
        frames = [pr.GraphicObject("POLYLINE", corners, units="PIXEL") for corners in patch_frames(study, view)]
        made = pr.GrayscaleSoftcopyPresentationState(
            referenced_images=[source],
            series_instance_uid=made_uid("overlay series", source.StudyInstanceUID),
            series_number=7102,
            sop_instance_uid=made_uid("overlay", source.SOPInstanceUID, study.digest, str(view)),
            instance_number=view + 1,
            manufacturer="neuralgraph",
            manufacturer_model_name="neuralgraph",
            software_versions="1",
            device_serial_number="0",
            content_label=_LABEL,
            content_description="kept patches, not for primary interpretation",
            graphic_layers=[layer],
            graphic_annotations=[pr.GraphicAnnotation([source], graphic_layer=layer, graphic_objects=frames)],
        )
        settle_moment(made, source)
    return made
