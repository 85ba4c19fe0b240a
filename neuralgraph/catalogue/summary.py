"""What is in a file, in numbers: for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from neuralgraph.access.files import located
from neuralgraph.access.places import Place, place_name
from neuralgraph.access.sources import open_source
from neuralgraph.codecs.registry import BYTE_CODECS
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.streams import EMBEDDING_STREAMS
from neuralgraph.graph.carried import carried_facts
from neuralgraph.graph.origin import graph_origin
from neuralgraph.graph.study import Study
from neuralgraph.storage.gate import prove
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.wire.limits import Limits

__all__ = ["file_summary", "record_summary", "study_summary"]

_LOOKED_AT = 1_000
"""Studies of an archive that are read to tell whether they are plain graphs."""


def file_summary(path: Place, *, limits: Limits | None = None, timeout: float | None = None) -> dict[str, Any]:
    """Facts about a file; for a file of one study, about the study too.

    ``kind`` of a study tells one in the full sense from a plain graph (``neuralgraph.graph.carried``).

    Every checksum and digest that the facts depend on is verified.

    Raises
    ------
    FormatError, StudyError, LimitError : the file cannot be read, is damaged or breaks a rule.
    """
    with open_source(path, timeout=timeout) as source, located(place_name(path)):
        container = Container(source, limits=limits)
        container.verify_root()
        summary: dict[str, Any] = {
            "file_bytes": source.size,
            "format": "ngr 1.0",
            "root": container.root.hex(),
            "n_studies": len(container),
        }
        if len(container) == 1:
            summary |= record_summary(container, 0, source.size)
        else:
            index = container.index
            summary["totals"] = {name: int(column.sum()) for name, column in index.counts.items()}
            summary["plain_graphs"] = _plain_graphs(container)
            summary["ids"] = list(_ids(container))
        return summary


def record_summary(container: Container, position: int, file_bytes: int) -> dict[str, Any]:
    """Facts about one study of a file, and how it is stored.

    Parameters
    ----------
    container, position : the file, and which of its records.
    file_bytes : of the file; what is around the streams is given for a file of one study only.

    Raises
    ------
    FormatError, StudyError, LimitError : the study is damaged or breaks a rule.
    """
    data = container.record_bytes(position)
    study = Study.from_columns(prove(container, position, data=data))
    whole = file_bytes if len(container) == 1 else len(data)
    return {"study": study_summary(study), "storage": _storage(container.record(position, data), whole)}


def _plain_graphs(container: Container) -> dict[str, int]:
    """How many of the studies without patches and concepts carry a plain graph, as far as they were looked at."""
    counts = container.index.counts
    bare = np.flatnonzero((counts["n_patches"][:] == 0) & (counts["n_concepts"][:] == 0))
    looked_at = bare[:_LOOKED_AT].tolist()
    studies = (Study.from_columns(prove(container, n, data=data)) for n, data in container.records_bytes(looked_at))
    found = sum(carried_facts(study) is not None for study in studies)
    return {"found": found, "looked_at": len(looked_at), "without_patches_and_concepts": len(bare)}


def _ids(container: Container) -> Iterator[str]:
    return (study_id_at(container, position) for position in range(len(container)))


def _storage(record: Record, file_bytes: int) -> dict[str, Any]:
    form = record.form(EMBEDDING_STREAMS)
    stored = sum(entry.stored_bytes for entry in record.streams.values())
    return {
        "embedding": form.form.name if form else None,
        "streams": [
            {
                "id": entry.stream_id,
                "encoding": BYTE_CODECS[entry.encoding].name if entry.encoding in BYTE_CODECS else entry.encoding,
                "stored_bytes": entry.stored_bytes,
                "decoded_bytes": entry.decoded_bytes,
            }
            for entry in record.streams.values()
        ],
        "overhead_bytes": file_bytes - stored,
    }


def study_summary(study: Study) -> dict[str, Any]:
    """Facts about a study: sizes, concepts, triples, labels and provenance, ready for JSON."""
    return {
        "id": study.study_id,
        "kind": "study" if carried_facts(study) is None else "plain graph",
        "plain_graph": carried_facts(study),
        "digest": study.digest,
        "views": [
            {
                "position": view.position,
                "height": view.height,
                "width": view.width,
                "rows": view.rows,
                "cols": view.cols,
                "patch_height": view.patch_height,
                "patch_width": view.patch_width,
            }
            for view in study.views
        ],
        "n_cells": study.n_cells,
        "n_patches": len(study.patches),
        "embedding_dim": int(study.patches.embedding.shape[1]),
        "n_edges": len(study.edges),
        "report_graph": graph_origin(study.provenance, len(study.concepts)),
        "concepts": [concept._asdict() for concept in study.concepts],
        "mentions": [mention._asdict() for mention in study.mentions],
        "triples": [[int(value) for value in row] for row in study.triples],
        "fusion": list(study.fusion) if study.fusion else None,
        "labels": dict(study.labels),
        "report_stored": study.report is not None,
        "pixels_stored": study.pixels is not None,
        "words_stored": study.word_attention is not None,
        "extensions": {name: len(payload) for name, payload in study.extensions.items()},
        "provenance": dict(study.provenance),
    }
