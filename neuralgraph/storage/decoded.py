"""The decoded form: what a file says, as JSON, so that readers of different languages can be compared exactly.

The form is specified in spec/decoded-form.md. Every check of FORMAT.md is made, in the order of its section 11, so
that the code of a refused file is the one every reader must give.
"""

from __future__ import annotations

import os
import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuralgraph.access.files import FileSource
from neuralgraph.container.reader import ByteSource, BytesSource, Container
from neuralgraph.errors import NeuralGraphError
from neuralgraph.graph.provenance import split
from neuralgraph.graph.study import Study
from neuralgraph.storage.gate import Level, examine_file, first_error
from neuralgraph.wire import canonical
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns
from neuralgraph.wire.vocabulary import RELATIONS

__all__ = ["decoded_bytes", "decoded_file", "decoded_study"]


def decoded_file(path: str | os.PathLike[str], *, limits: Limits | None = None) -> dict[str, Any]:
    """The decoded form of a file, or of the reason why it is refused; never raises for what the file holds.

    Raises
    ------
    FormatError (E_OPEN) : the file cannot be opened at all.
    """
    with FileSource(path) as source:
        return _decoded(source, limits)


def decoded_bytes(data: bytes | memoryview, *, limits: Limits | None = None) -> dict[str, Any]:
    """The decoded form of a file held in memory; like ``decoded_file``."""
    return _decoded(BytesSource(data), limits)


def _decoded(source: ByteSource, limits: Limits | None) -> dict[str, Any]:
    studies: list[dict[str, Any]] = []
    try:
        container = Container(source, limits=limits)

        def take(columns: StudyColumns) -> None:
            studies.append(decoded_study(Study.from_columns(columns)))

        first_error(examine_file(container, level=Level.MEANING, take=take))
    except NeuralGraphError as error:
        return {"ok": False, "code": error.code, "where": error.where, "message": error.message}
    return {"ok": True, "studies": studies}


def decoded_study(study: Study) -> dict[str, Any]:
    """The decoded form of one study, ready for JSON."""
    patches, vectors = study.patches, study.concept_vectors
    method, source = split(dict(study.provenance))
    return {
        "id": study.study_id,
        "digest": study.digest,
        "views": [
            {
                "rows": view.rows,
                "cols": view.cols,
                "height": view.height,
                "width": view.width,
                "patch_height": _f32(view.patch_height),
                "patch_width": _f32(view.patch_width),
                "score_step": _f32(view.score_step),
                "position": view.position,
                "attention": _f32(view.attention),
            }
            for view in study.views
        ],
        "patches": {
            "count": len(patches),
            "width": int(patches.embedding.shape[1]),
            "view": patches.view.tolist(),
            "row": patches.row.tolist(),
            "col": patches.col.tolist(),
            "score": _f32(patches.score),
            "embedding": _f32(patches.embedding),
        },
        "edges": study.edges.tolist(),
        "concepts": [
            {**concept._asdict(), "vector": None if vectors is None else int(vectors.index[number])}
            for number, concept in enumerate(study.concepts)
        ],
        "mentions": [mention._asdict() for mention in study.mentions],
        "concept_vectors": {
            "count": 0 if vectors is None else int(vectors.vector.shape[0]),
            "width": 0 if vectors is None else int(vectors.vector.shape[1]),
            "values": "" if vectors is None else _f32(vectors.vector),
        },
        "triples": [[head, RELATIONS[relation], tail] for head, relation, tail in study.triples.tolist()],
        "fusion": None if study.fusion is None else [int(end) for end in study.fusion],
        "labels": [[name, _f32(value)] for name, value in study.labels.items()],
        "provenance": {"method": _map_value(_stored(method)), "source": _map_value(_stored(source))},
        "report": study.report,
        "pixels": _pixels(study),
        **_words(study),
        "extensions": [{"name": name, "payload": payload.hex()} for name, payload in study.extensions.items()],
    }


def _f32(values: ArrayLike) -> str:
    """Little-endian binary32 in hexadecimal; the values are exactly representable."""
    return np.asarray(values, "<f4").tobytes().hex()


def _stored(value: dict[str, Any]) -> Any:
    """The map with its keys in the order a file has them."""
    return canonical.decode(canonical.encode(value), where="provenance")


def _map_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {"map": [[key, _map_value(member)] for key, member in value.items()]}
    if isinstance(value, list):
        return [_map_value(member) for member in value]
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, float):
        return {"f64": struct.pack(">d", value).hex()}
    return value


def _words(study: Study) -> dict[str, Any]:
    """The member ``word_attention`` when the study has it."""
    words = study.word_attention
    if words is None:
        return {}
    return {
        "word_attention": {
            "spans": [[int(start), int(end)] for start, end in zip(words.start, words.end, strict=True)],
            "step": _f32(words.step),
            "attention": _f32(words.attention),
        }
    }


def _pixels(study: Study) -> dict[str, Any] | None:
    pixels = study.pixels
    if pixels is None:
        return None
    return {
        "height": int(pixels.shape[1]),
        "width": int(pixels.shape[2]),
        "bytes_per_pixel": pixels.dtype.itemsize,
        "values": pixels.astype(pixels.dtype.newbyteorder("<")).tobytes().hex(),
    }
