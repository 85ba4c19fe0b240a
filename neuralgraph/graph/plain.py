"""A study as plain values, for other formats: facts that JSON can say, and named arrays.

Facts, always all of them; one marked + follows from others:

========================= ==============================================================================================
``schema``                ``SCHEMA``
``study_id``, ``digest``  text; the content digest of the study
``views``                 list of maps: position, height, width (pixels), patch_height, patch_width (pixels), score_step
``report_graph`` +        whose words the concepts are: given, generated (the model's own), none or unknown
``concepts``              list of maps: text, label, start, end (code points of the report), section
``mentions``              list of maps: concept (its number), label, start, end, section
``relations``             names of the relations that triples refer to
``labels``                map of name to value: 1 present, 0 absent, -1 uncertain
``provenance``            map; bytes are written as ``{"$base64": text}``
``report``                text, or null when it is not stored
``extensions``            map of name to payload in base64
``word_step``             unit of ``word_code`` (float32), or null when no word attention is stored
========================= ==============================================================================================

Arrays; n patches, m edges, t triples. Those marked * may be absent, those marked + follow from the others:

=========================== ============================================================================================
``patch_view, _row, _col``  int32 [n]: film, and place in its grid
``patch_score``             float32 [n]: attention, descending
``patch_embedding``         float32 [n, d]
``edge`` +                  int32 [m, 2]: patches that touch, lower first
``triple``                  int32 [t, 3]: head concept, relation, tail concept
``fusion``                  int32 [1, 2]: patch, concept; [0, 2] without a fusion edge
``attention_code_V``        uint8 [rows, cols], one per view V: attention on a square-root scale
``attention_V`` +           float32 [rows, cols]: code^2 times the view's score_step
``concept_vector`` *        float32 [k, w]: stored features of concepts
``concept_vector_index`` *  int32 [n_concepts]: row of ``concept_vector`` of each concept
``pixels`` *                uint8 or uint16 [n, height, width]: the patches as images
``word_start, _end`` *      uint32 [w]: span of each word in the report, code points
``word_code`` *             uint8 [w, cells of all views]: attention of each word, code^2 times ``word_step``
=========================== ============================================================================================
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import ChecksumError, StudyError
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.origin import graph_origin
from neuralgraph.graph.patches import ConceptVectors, Patches
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View
from neuralgraph.graph.words import WordAttention
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["SCHEMA", "is_derived", "study_arrays", "study_facts", "study_of"]

SCHEMA = "neuralgraph-study-1"
"""Name of this form of a study."""

_BYTES = "$base64"
_WORD_ARRAYS = ("start", "end", "code")
_VIEW_FACTS = ("position", "height", "width", "patch_height", "patch_width", "score_step")


def is_derived(name: str) -> bool:
    """Whether the fact or array of this name follows from others, or is the same in every study."""
    return (
        name in ("schema", "digest", "report_graph", "relations", "edge")
        or re.fullmatch(r"attention_[0-9]+", name) is not None
    )


def study_facts(study: Study) -> dict[str, Any]:
    """The facts of a study, ready for JSON.

    Raises
    ------
    StudyError (E_TOC_KEY) : the provenance uses the key that marks bytes.
    """
    return {
        "schema": SCHEMA,
        "study_id": study.study_id,
        "digest": study.digest,
        "views": [{name: getattr(view, name) for name in _VIEW_FACTS} for view in study.views],
        "report_graph": graph_origin(study.provenance, len(study.concepts)),
        "concepts": [concept._asdict() for concept in study.concepts],
        "mentions": [mention._asdict() for mention in study.mentions],
        "relations": list(RELATIONS),
        "labels": dict(study.labels),
        "provenance": _without_bytes(dict(study.provenance)),
        "report": study.report,
        "extensions": {name: b64encode(payload).decode() for name, payload in study.extensions.items()},
        "word_step": None if study.word_attention is None else study.word_attention.step,
    }


def study_arrays(study: Study) -> dict[str, NDArray[Any]]:
    """The arrays of a study by name, C-contiguous and little-endian; read-only where they are the study's own."""
    patches = study.patches
    arrays: dict[str, NDArray[Any]] = {
        "patch_view": patches.view,
        "patch_row": patches.row,
        "patch_col": patches.col,
        "patch_score": patches.score,
        "patch_embedding": patches.embedding,
        "edge": study.edges,
        "triple": study.triples,
        "fusion": np.array([study.fusion] if study.fusion else [], np.int32).reshape(-1, 2),
    }
    for number, view in enumerate(study.views):
        arrays[f"attention_code_{number}"] = view.score_code
        arrays[f"attention_{number}"] = view.attention
    if study.concept_vectors is not None:
        arrays["concept_vector"] = study.concept_vectors.vector
        arrays["concept_vector_index"] = study.concept_vectors.index
    if study.pixels is not None:
        arrays["pixels"] = study.pixels
    if study.word_attention is not None:
        arrays |= {f"word_{part}": getattr(study.word_attention, part) for part in _WORD_ARRAYS}
    return {name: np.ascontiguousarray(array, array.dtype.newbyteorder("<")) for name, array in arrays.items()}


def study_of(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Study:
    """The study that ``facts`` and ``arrays`` describe; arrays that follow from others are not read.

    Raises
    ------
    StudyError (E_STUDY) : a fact or an array is missing, or is not what the tables above say.
    StudyError : a rule of FORMAT.md section 8 is broken.
    ChecksumError (E_DIGEST) : ``facts`` has a digest, and it is not that of the study.
    """
    try:
        study = _study_of(facts, arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = f"not a study in the form {SCHEMA} ({type(error).__name__}: {error})"
        raise StudyError(" ".join(reason.split())[:200], code="E_STUDY") from error
    if "digest" in facts and facts["digest"] != study.digest:
        reason = "the study is not the one its digest names; if it was changed on purpose, remove the digest"
        raise ChecksumError(reason, code="E_DIGEST", where="digest")
    return study


def _study_of(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Study:
    if facts["schema"] != SCHEMA or facts["relations"][: len(RELATIONS)] != list(RELATIONS):
        raise ValueError("unknown schema or relations")
    names = ("patch_row", "patch_col", "patch_score", "patch_embedding", "patch_view")
    fusion = arrays["fusion"].tolist()
    return Study(
        study_id=facts["study_id"],
        views=tuple(
            View(score_code=arrays[f"attention_code_{number}"], **{name: view[name] for name in _VIEW_FACTS})
            for number, view in enumerate(facts["views"])
        ),
        patches=Patches(*(arrays[name] for name in names)),
        concepts=tuple(Concept(**concept) for concept in facts["concepts"]),
        mentions=tuple(Mention(**mention) for mention in facts["mentions"]),
        triples=arrays["triple"],
        fusion=(fusion[0][0], fusion[0][1]) if fusion else None,
        labels=facts["labels"],
        provenance=_with_bytes(facts["provenance"]),
        concept_vectors=ConceptVectors(arrays["concept_vector_index"], arrays["concept_vector"])
        if "concept_vector" in arrays
        else None,
        report=facts["report"],
        pixels=arrays.get("pixels"),
        word_attention=None
        if facts["word_step"] is None
        else WordAttention(arrays["word_start"], arrays["word_end"], arrays["word_code"], facts["word_step"]),
        extensions={name: b64decode(payload, validate=True) for name, payload in facts["extensions"].items()},
    )


def _without_bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: b64encode(value).decode()}
    if isinstance(value, dict):
        if _BYTES in value:
            reason = f"a provenance with the key {_BYTES} cannot be written as JSON"
            raise StudyError(reason, code="E_TOC_KEY", where="provenance")
        return {key: _without_bytes(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_without_bytes(member) for member in value]
    return value


def _with_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_BYTES}:
            return b64decode(value[_BYTES], validate=True)
        return {key: _with_bytes(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_bytes(member) for member in value]
    return value
