"""Studies to files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import BytesIO, IOBase
from typing import BinaryIO

from neuralgraph.codecs.forms import Form
from neuralgraph.codecs.registry import exact_form
from neuralgraph.container.encode import encode_record
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.graph.study import Study
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.lossy import EXACT, form_named, prepared
from neuralgraph.storage.profiles import check_profile

__all__ = ["save", "to_bytes"]


def save(
    study: Study | Iterable[Study],
    path: str | bytes | os.PathLike[str],
    *,
    embedding: str = EXACT,
    profile: str = "compact",
) -> None:
    """Write one study, or several as one archive. Atomic; the same studies give the same bytes.

    Parameters
    ----------
    study : a study, or studies with different ids.
    path : the file to create or replace, on this machine; to anywhere else go the bytes of ``to_bytes``.
    embedding : how embeddings are stored. "exact" (default) loses nothing and takes half the bytes where the values fit
        16 bits; "float32", "bfloat16", "float16", "int8" and "svd" are explained in the codec book. "svd:0.06" is svd
        with a channel-normalised RMSE of at most 0.06 instead of 0.011. What a form loses is measured and put into the
        provenance of the stored study, as ``loss``.
    profile : one of ``neuralgraph.storage.profiles.PROFILES``.

    Raises
    ------
    StudyError (E_FILTER, E_NUM, E_IDX) : unknown form, a value outside its range, or unknown profile.
    FormatError (E_INDEX, E_DUP) : no study, or two with the same id.
    OutputError (E_OUTPUT, E_WRITE) : the file cannot be written.
    TypeError : ``path`` is an open file.
    """
    if isinstance(path, IOBase):
        raise TypeError("a study is saved to a path; write the bytes of neuralgraph.to_bytes to an open file")
    form = form_named(embedding)
    check_profile(profile)
    with atomic_file(os.fsdecode(path)) as stream:
        _write(study, stream, form, profile)


def to_bytes(study: Study | Iterable[Study], *, embedding: str = EXACT, profile: str = "compact") -> bytes:
    """The bytes ``save`` would write; same parameters and errors."""
    form, stream = form_named(embedding), BytesIO()
    check_profile(profile)
    _write(study, stream, form, profile)
    return stream.getvalue()


def _write(study: Study | Iterable[Study], stream: BinaryIO, form: Form | None, profile: str) -> None:
    writer = ContainerWriter(stream)
    for each in [study] if isinstance(study, Study) else study:
        stored, chosen = prepared(each, form or exact_form(each.patches.embedding))
        columns = stored.columns()
        vectors = exact_form(columns.concept_vectors)
        record = encode_record(columns, embedding=chosen, concept_vectors=vectors, for_loaders=profile == "train")
        writer.add(record, study_id=each.study_id, method=columns.method)
    writer.finish()
