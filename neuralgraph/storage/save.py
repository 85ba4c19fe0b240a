"""Studies to files: as small as they are by default, or with embeddings that a loader need not undo."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import BytesIO, IOBase
from typing import BinaryIO

from neuralgraph.codecs.registry import exact_form
from neuralgraph.container.encode import encode_record
from neuralgraph.container.reader import Container
from neuralgraph.container.streams import CONCEPT_VECTOR_STREAMS, EMBEDDING_STREAMS
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import StudyError
from neuralgraph.graph.study import Study
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.gate import prove
from neuralgraph.storage.lossy import EXACT, form_named, prepared
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["PROFILES", "check_profile", "copy_record", "save", "to_bytes"]

PROFILES: tuple[str, ...] = ("compact", "train")
"""What a file is for. "compact" (default): small, to keep and to send. "train": graph and embedding are stored as they
are, not compressed; larger, and faster to train from."""


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
    profile : one of ``PROFILES``.

    Raises
    ------
    StudyError (E_FILTER, E_NUM, E_IDX) : unknown form, a value outside its range, or unknown profile.
    FormatError (E_INDEX, E_DUP) : no study, or two with the same id.
    OutputError (E_OUTPUT, E_WRITE) : the file cannot be written.
    TypeError : ``path`` is an open file.
    """
    if isinstance(path, IOBase):
        raise TypeError("a study is saved to a path; write the bytes of neuralgraph.to_bytes to an open file")
    with atomic_file(os.fsdecode(path)) as stream:
        _write(study, stream, embedding, profile)


def to_bytes(study: Study | Iterable[Study], *, embedding: str = EXACT, profile: str = "compact") -> bytes:
    """The bytes ``save`` would write; same parameters and errors."""
    stream = BytesIO()
    _write(study, stream, embedding, profile)
    return stream.getvalue()


def _write(study: Study | Iterable[Study], stream: BinaryIO, embedding: str, profile: str) -> None:
    form = form_named(embedding)
    check_profile(profile)
    writer = ContainerWriter(stream)
    for each in [study] if isinstance(study, Study) else study:
        stored, chosen = prepared(each, form or exact_form(each.patches.embedding))
        columns = stored.columns()
        vectors = exact_form(columns.concept_vectors)
        record = encode_record(columns, embedding=chosen, concept_vectors=vectors, for_loaders=profile == "train")
        writer.add(record, study_id=each.study_id, method=columns.method)
    writer.finish()


def check_profile(profile: str) -> None:
    """Refuse what is not a profile.

    Raises
    ------
    StudyError (E_IDX) : ``profile`` is not one of ``PROFILES``.
    """
    if profile not in PROFILES:
        reason = f"{profile!r} is not a profile; use one of {', '.join(PROFILES)}"
        raise StudyError(reason, code="E_IDX", where="profile")


def copy_record(writer: ContainerWriter, container: Container, position: int, *, profile: str = "compact") -> None:
    """Append a record of another file, proven completely: byte for byte, or anew where the profile asks for it.

    Raises
    ------
    FormatError, StudyError : the record is damaged or breaks a rule.
    """
    data = container.record_bytes(position)
    columns = prove(container, position, data=data)
    if profile == "train":
        data = memoryview(_for_loaders(container, position, data, columns))
    writer.add(data, study_id=columns.study_id.decode(), method=columns.method)


def _for_loaders(container: Container, position: int, data: memoryview, columns: StudyColumns) -> bytes:
    """The same study with its graph and its embedding stored, not compressed; every value stays.

    The form stays too, unless writing it again would change the values: then they are stored exactly.
    """
    record = container.record(position, data)
    embedding, concept_vectors = (
        entry.form if entry is not None and entry.form.repeatable else exact_form(matrix)
        for entry, matrix in (
            (record.form(EMBEDDING_STREAMS), columns.embedding),
            (record.form(CONCEPT_VECTOR_STREAMS), columns.concept_vectors),
        )
    )
    return encode_record(columns, embedding=embedding, concept_vectors=concept_vectors, for_loaders=True)
