"""Studies to files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import BytesIO
from typing import BinaryIO

from neuralgraph.codecs.forms import Form
from neuralgraph.codecs.registry import exact_form
from neuralgraph.container.record import encode_record
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.graph.study import Study
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.lossy import EXACT, form_named, prepared

__all__ = ["EXACT", "form_named", "save", "to_bytes"]


def save(study: Study | Iterable[Study], path: str | os.PathLike[str], *, embedding: str = EXACT) -> None:
    """Write one study, or several as one archive. Atomic; the same studies give the same bytes.

    Parameters
    ----------
    study : a study, or studies with different ids.
    path : the file to create or replace.
    embedding : how embeddings are stored. "exact" (default) loses nothing and takes half the bytes where the values fit
        16 bits; "float32", "bfloat16", "float16", "int8", "int4" and "svd" are explained in the codec book. "svd:0.06"
        is svd with a channel-normalised RMSE of at most 0.06 instead of 0.011. What a form loses is measured and put
        into the provenance of the stored study, as ``loss``.

    Raises
    ------
    StudyError (E_FILTER, E_NUM) : unknown form, or a value outside its range.
    FormatError (E_INDEX, E_DUP) : no study, or two with the same id.
    OutputError (E_OUTPUT, E_WRITE) : the file cannot be written.
    """
    form = form_named(embedding)
    studies = [study] if isinstance(study, Study) else study
    with atomic_file(path) as stream:
        _write(studies, stream, form)


def to_bytes(study: Study | Iterable[Study], *, embedding: str = EXACT) -> bytes:
    """The bytes ``save`` would write; same parameters and errors."""
    stream = BytesIO()
    _write([study] if isinstance(study, Study) else study, stream, form_named(embedding))
    return stream.getvalue()


def _write(studies: Iterable[Study], stream: BinaryIO, form: Form | None) -> None:
    writer = ContainerWriter(stream)
    for study in studies:
        stored, embedding = prepared(study, form or exact_form(study.patches.embedding))
        columns = stored.columns()
        record = encode_record(
            columns,
            embedding=embedding,
            concept_vectors=exact_form(columns.concept_vectors),
        )
        writer.add(record, study_id=study.study_id, method=columns.method)
    writer.finish()
