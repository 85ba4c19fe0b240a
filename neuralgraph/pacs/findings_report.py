"""The findings of a study as a Structured Report (PS3.16 TID 1500): coded, for a PACS to search and show.

Each observation of the report graph is a measurement group with its code, its site and side, whether it is there and
how sure the report is. Each kept patch is a region of the film. Nothing of the report's wording but the names of
concepts goes into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from neuralgraph.errors import VERSION, StudyError, missing_extra
from neuralgraph.graph.origin import graph_origin
from neuralgraph.graph.study import Study
from neuralgraph.pacs.finding_codes import CERTAINTY, OWN_SCHEME, PRESENCE, SIDES, FindingCode, code_of, own_code
from neuralgraph.pacs.identity import check_film_of, made_uid, settle_moment
from neuralgraph.pacs.overlay import patch_frames
from neuralgraph.rows.facts import concept_rows
from neuralgraph.sources.films.dicom_header import quiet_pydicom
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["COMPREHENSIVE_REPORT", "KEPT", "WARNING", "algorithm_facts", "findings_object"]

COMPREHENSIVE_REPORT = "1.2.840.10008.5.1.4.1.1.88.33"
"""SOP class Comprehensive SR Storage."""

WARNING = "not for primary interpretation"
_PRESENCE_NAME = FindingCode("121052", "DCM", "Presence of property")
_CERTAINTY_NAME = FindingCode("111012", "DCM", "Certainty of Finding")
KEPT = FindingCode("kept-patch", OWN_SCHEME, "Patch of the film kept by attention")
_ATTENTION = FindingCode("attention", OWN_SCHEME, "Attention summed over the report")
_FILM = FindingCode("film", OWN_SCHEME, "Radiograph")
_MOST_PATCHES = 500


def findings_object(study: Study, sources: list[Any], *, generated: bool = False) -> Any:
    """The report that carries findings and kept patches of a study.

    Parameters
    ----------
    study : with concepts, or kept patches, or both.
    sources : its films, in the order of its views, as ``identity.read_source`` gives them; patient and study become the
        object's.
    generated : also take a report graph that a model wrote; every finding then says so.

    Returns
    -------
    pydicom Dataset : with file meta information. The same study beside the same films gives the same object. It is
        partial, preliminary and unverified, and its algorithm says name, version and "not for primary interpretation".

    Raises
    ------
    SourceError (E_SOURCE_KIND) : a film is not the study's. E_SOURCE_DAMAGED: a header cannot be used.
    StudyError (E_STUDY) : there is nothing to report, or a model wrote it and ``generated`` is not given.
    MissingExtraError (E_EXTRA) : highdicom is not installed.
    """
    try:
        from highdicom import sr
    except ImportError as error:
        raise missing_extra("structured reports", extra="pacs", library="highdicom") from error
    for view, source in enumerate(sources):
        check_film_of(study, view, source)
    by_model = graph_origin(study.provenance, len(study.concepts)) == "generated"
    if by_model and not generated:
        reason = "the report graph was written by a model, and is no finding of anybody's; say that it is wanted"
        raise StudyError(reason, code="E_STUDY", where="report")
    with quiet_pydicom("the film's header cannot be used"):
        algorithm = sr.AlgorithmIdentification(**algorithm_facts(study, by_model=by_model))
        groups = [*_findings(study, sources[0], algorithm), *_patches(study, sources, algorithm)]
        if not groups:
            raise StudyError("the study has neither findings nor patches", code="E_STUDY", where="study")
        device = sr.DeviceObserverIdentifyingAttributes(
            uid=made_uid("device", "neuralgraph"),
            name=f"neuralgraph, {WARNING}",
            manufacturer_name="neuralgraph",
            model_name="neuralgraph",
        )
        observer = sr.ObserverContext(_coded(FindingCode("121007", "DCM", "Device")), device)
        content = sr.MeasurementReport(
            observation_context=sr.ObservationContext(observer_device_context=observer),
            procedure_reported=_coded(_FILM),
            imaging_measurements=groups,
            title=_coded(FindingCode("126000", "DCM", "Imaging Measurement Report")),
        )
        uids = [source.SOPInstanceUID for source in sources]
        made = sr.ComprehensiveSR(
            evidence=sources,
            content=content,
            series_instance_uid=made_uid("findings series", sources[0].StudyInstanceUID),
            series_number=7103,
            sop_instance_uid=made_uid("findings", study.digest, *uids, str(generated)),
            instance_number=1,
            manufacturer="neuralgraph",
        )
        made.SeriesDescription = f"NEURAL findings, {WARNING}"
        made.ManufacturerModelName, made.SoftwareVersions = "neuralgraph", VERSION
        made.SpecificCharacterSet = "ISO_IR 192"
        made.PreliminaryFlag = "PRELIMINARY"
        settle_moment(made, sources[0])
    return made


def _coded(code: FindingCode) -> Any:
    from highdicom.sr import CodedConcept

    return CodedConcept(*code)


def algorithm_facts(study: Study, *, by_model: bool) -> dict[str, Any]:
    """Name, version, family and parameters of what chose the patches, as highdicom takes them.

    Parameters
    ----------
    study : whose provenance names the model.
    by_model : the report graph was written by a model.
    """
    said = study.provenance
    parameters = [WARNING, f"report graph: {'written by a model' if by_model else 'read from a given report'}"]
    for name in ("model", "extractor"):
        facts = said.get(name)
        if not isinstance(facts, Mapping):
            continue
        for key in ("name", "version", "digest", "fingerprint", "trained"):
            if key in facts:
                parameters.append(f"{name} {key}: {facts[key]}"[:1024])
    return {
        "name": "neuralgraph",
        "version": VERSION,
        "family": _coded(FindingCode("123110", "DCM", "Artificial Intelligence")),
        "parameters": parameters,
    }


def _findings(study: Study, source: Any, algorithm: Any) -> Iterator[Any]:
    """A group for every observation, said once: where the graph repeats one, what differs makes another group."""
    from highdicom import sr

    rows = concept_rows(study, archive="", position=0)
    seen = set()
    # "focal" before "consolidation" says how, and is no finding of its own.
    modifiers = {head for head, relation, _ in study.triples.tolist() if RELATIONS[relation] == "modify"}
    for row in rows:
        if row["number"] in modifiers:
            continue
        said = (row["name"], row["polarity"], row["side"], row["place"])
        if not row["kind"].startswith("observation") or said in seen:
            continue
        seen.add(said)
        code = code_of(row["name"], "observation")
        side = SIDES.get(row["side"])
        places = [code_of(place, "anatomy") for place in row["place"].split(", ") if place]
        if side is not None and not places:
            places = [code_of("chest", "anatomy")]
        sites = [sr.FindingSite(_coded(place), laterality=None if side is None else _coded(side)) for place in places]
        evaluations = [
            sr.QualitativeEvaluation(_coded(_PRESENCE_NAME), _coded(PRESENCE[row["polarity"]])),
            sr.QualitativeEvaluation(_coded(_CERTAINTY_NAME), _coded(CERTAINTY[row["polarity"]])),
        ]
        yield sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=sr.TrackingIdentifier(
                uid=made_uid("finding", source.SOPInstanceUID, study.digest, *said),
                identifier=f"finding {len(seen)}",
            ),
            finding_type=_coded(code),
            algorithm_id=algorithm,
            finding_sites=sites or None,
            qualitative_evaluations=evaluations,
        )


def _patches(study: Study, sources: list[Any], algorithm: Any) -> Iterator[Any]:
    """A group for every kept patch of the films that are given, with its outline on the film as it is stored."""
    from highdicom import sr

    fused = study.fusion
    number = 0
    for view, source in enumerate(sources):
        indices = [i for i in range(len(study.patches)) if study.patches.view[i] == view]
        for index, corners in zip(indices, patch_frames(study, view), strict=True):
            number += 1
            if number > _MOST_PATCHES:
                return
            joined = []
            if fused is not None and fused[0] == index:
                concept = concept_rows(study, archive="", position=0)[fused[1]]
                name = own_code("joined by the fusion edge to")
                joined = [sr.QualitativeEvaluation(_coded(name), _coded(code_of(concept["name"], concept["kind"])))]
            image = sr.SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID)
            yield sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                tracking_identifier=sr.TrackingIdentifier(
                    uid=made_uid("patch", source.SOPInstanceUID, study.digest, str(index)),
                    identifier=f"patch {index + 1}",
                ),
                referenced_region=sr.ImageRegion("POLYLINE", corners, source_image=image),
                finding_type=_coded(KEPT),
                algorithm_id=algorithm,
                measurements=[
                    sr.Measurement(
                        _coded(_ATTENTION),
                        float(study.patches.score[index]),
                        _coded(FindingCode("1", "UCUM", "no units")),
                    )
                ],
                qualitative_evaluations=joined or None,
            )
