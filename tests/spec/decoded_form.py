"""The decoded form (spec/decoded-form.md) of what the Python package reads."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import neuralgraph as ng

METHOD_KEYS = ("model", "score", "prune", "extractor")


def f32(values: Any) -> str:
    return np.asarray(values, "<f4").tobytes().hex()


def map_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: str(key).encode())
        return {"map": [[key, map_value(value[key])] for key in keys]}
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, float):
        return {"f64": struct.pack(">d", value).hex()}
    assert isinstance(value, Sequence)
    return [map_value(item) for item in value]


def study_form(study: ng.Study) -> dict[str, Any]:
    patches, vectors, pixels = study.patches, study.concept_vectors, study.pixels
    method = {key: value for key, value in study.provenance.items() if key in METHOD_KEYS}
    source = {key: value for key, value in study.provenance.items() if key not in METHOD_KEYS}
    return {
        "id": study.study_id,
        "digest": study.digest,
        "views": [
            {
                "rows": view.rows,
                "cols": view.cols,
                "height": view.height,
                "width": view.width,
                "patch_height": f32(view.patch_height),
                "patch_width": f32(view.patch_width),
                "score_step": f32(view.score_step),
                "position": view.position,
                "attention": f32(view.attention),
            }
            for view in study.views
        ],
        "patches": {
            "count": len(patches.row),
            "width": patches.embedding.shape[1] ,
            "view": np.asarray(patches.view).tolist(),
            "row": patches.row.tolist(),
            "col": patches.col.tolist(),
            "score": f32(patches.score),
            "embedding": f32(patches.embedding),
        },
        "edges": np.asarray(study.edges).tolist(),
        "concepts": [
            {
                "text": concept.text,
                "label": concept.label,
                "start": concept.start,
                "end": concept.end,
                "vector": None if vectors is None else int(vectors.index[i]),
            }
            for i, concept in enumerate(study.concepts)
        ],
        "concept_vectors": {
            "count": 0 if vectors is None else vectors.vector.shape[0],
            "width": 0 if vectors is None else vectors.vector.shape[1],
            "values": "" if vectors is None else f32(vectors.vector),
        },
        "triples": [[int(h), ("modify", "located_at", "suggestive_of")[r], int(t)] for h, r, t in study.triples],
        "fusion": None if study.fusion is None else list(study.fusion),
        "labels": [[name, f32(value)] for name, value in sorted(study.labels.items(), key=lambda item: item[0].encode())],
        "provenance": {"method": map_value(method), "source": map_value(source)},
        "report": study.report,
        "pixels": None
        if pixels is None
        else {
            "height": pixels.shape[1],
            "width": pixels.shape[2],
            "bytes_per_pixel": pixels.dtype.itemsize,
            "values": pixels.astype(pixels.dtype.newbyteorder("<")).tobytes().hex(),
        },
        "extensions": [
            {"name": name, "payload": bytes(payload).hex()} for name, payload in sorted(study.extensions.items())
        ],
    }


def file_form(data: bytes, scratch: Path) -> dict[str, Any]:
    """Open, read every study, then validate; the verdict as spec/decoded-form.md puts it."""
    scratch.write_bytes(data)
    try:
        with ng.open(scratch) as archive:
            studies = [study_form(archive[i]) for i in range(len(archive))]
    except ng.NeuralGraphError as error:
        return {"ok": False, "code": error.code, "where": error.where, "message": error.message}
    report = ng.validate_bytes(data)
    if not report.ok:
        first = report.problems[0]
        return {"ok": False, "code": first.code, "where": first.where, "message": first.message}
    return {"ok": True, "studies": studies}
