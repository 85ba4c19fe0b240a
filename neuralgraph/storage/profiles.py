"""What a file is for: records as small as they are by default, or with embeddings that a loader need not undo."""

from __future__ import annotations

from neuralgraph.codecs.registry import exact_form
from neuralgraph.container.encode import encode_record
from neuralgraph.container.reader import Container
from neuralgraph.container.streams import CONCEPT_VECTOR_STREAMS, EMBEDDING_STREAMS
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import StudyError
from neuralgraph.storage.gate import prove
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["PROFILES", "check_profile", "copy_record"]

PROFILES: tuple[str, ...] = ("compact", "train")
"""What a file is for. "compact" (default): small, to keep and to send. "train": graph and embedding are stored as they
are, not compressed; larger, and faster to train from."""


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
