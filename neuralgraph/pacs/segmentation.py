"""The kept patches as a DICOM Segmentation (PS3.3 A.51): a mask that viewers lay over the film and programs count.

One binary segment of the size of the film as it is stored; a pixel is in it where its centre lies in a kept patch. It
holds no pixel of the film.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralgraph.errors import VERSION, StudyError, missing_extra
from neuralgraph.graph.origin import graph_origin
from neuralgraph.graph.study import Study
from neuralgraph.pacs.finding_codes import FindingCode
from neuralgraph.pacs.findings_report import KEPT, WARNING, algorithm_facts
from neuralgraph.pacs.identity import check_film_of, made_uid, settle_moment, stored_size
from neuralgraph.pacs.overlay import patch_frames
from neuralgraph.sources.films.dicom_header import quiet_pydicom

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["kept_mask", "segmentation_object"]

_REGION = FindingCode("309825002", "SCT", "Spatial and Relational Concept")
"""Of PS3.16 CID 7150: what was kept is a place, neither a structure nor a finding."""


def kept_mask(study: Study, view: int) -> NDArray[np.bool_]:
    """Which pixels of a film, as its source stores it, lie in a kept patch.

    Returns
    -------
    bool [rows, columns] : by the centres of the pixels, so that patches that touch share none. A film that was turned,
        or made of square pixels, is undone.
    """
    mask = np.zeros(stored_size(study, view), np.bool_)
    for corners in patch_frames(study, view):
        # Centres lie half a pixel in: the first is the one at or behind an edge less that half.
        left, top = np.ceil(corners.min(axis=0) - 0.5).astype(np.int64)
        right, bottom = np.ceil(corners.max(axis=0) - 0.5).astype(np.int64)
        mask[top:bottom, left:right] = True
    return mask


def segmentation_object(study: Study, view: int, source: Any) -> Any:
    """The segmentation of one film.

    Parameters
    ----------
    study : with kept patches.
    view : which of its films.
    source : that film, as ``identity.read_source`` gives it; patient and study become the object's.

    Returns
    -------
    pydicom Dataset : with file meta information. The same study beside the same film gives the same object. Its
        algorithm says name, version and "not for primary interpretation".

    Raises
    ------
    SourceError (E_SOURCE_KIND) : not a film of the study. E_SOURCE_DAMAGED: its header cannot be used.
    StudyError (E_STUDY) : no patch of this film was kept.
    MissingExtraError (E_EXTRA) : highdicom is not installed.
    """
    check_film_of(study, view, source)
    try:
        from highdicom import AlgorithmIdentificationSequence, seg
        from highdicom.sr import CodedConcept
    except ImportError as error:
        raise missing_extra("segmentations", extra="pacs", library="highdicom") from error
    mask = kept_mask(study, view)
    if not mask.any():
        raise StudyError("no patch of this film was kept", code="E_STUDY", where="study")
    by_model = graph_origin(study.provenance, len(study.concepts)) == "generated"
    facts = algorithm_facts(study, by_model=by_model)
    with quiet_pydicom("the film's header cannot be used"):
        algorithm = AlgorithmIdentificationSequence(
            facts["name"],
            facts["family"],
            facts["version"],
            parameters={str(number): text for number, text in enumerate(facts["parameters"])},
        )
        kept = seg.SegmentDescription(
            segment_number=1,
            segment_label=f"kept patches, {WARNING}",
            segmented_property_category=CodedConcept(*_REGION),
            segmented_property_type=CodedConcept(*KEPT),
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
            tracking_uid=made_uid("segment", source.SOPInstanceUID, study.digest, str(view)),
            tracking_id="kept patches",
        )
        made = seg.Segmentation(
            source_images=[source],
            pixel_array=mask,
            segmentation_type="BINARY",
            segment_descriptions=[kept],
            series_instance_uid=made_uid("segmentation series", source.StudyInstanceUID),
            series_number=7104,
            sop_instance_uid=made_uid("segmentation", source.SOPInstanceUID, study.digest, str(view)),
            instance_number=view + 1,
            manufacturer="neuralgraph",
            manufacturer_model_name="neuralgraph",
            software_versions=VERSION,
            device_serial_number="0",
            content_label="NEURAL",
            content_description=f"kept patches, {WARNING}",
        )
        # The library draws this one at random.
        dimensions = made_uid("dimensions", made.SOPInstanceUID)
        for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
            item.DimensionOrganizationUID = dimensions
        made.SpecificCharacterSet = "ISO_IR 192"
        made.SeriesDescription = f"NEURAL patches, {WARNING}"
        settle_moment(made, source)
    return made
