"""Where the records of a new file go, by what the file is for: as they stand, laid out for loaders, or packed small.

Records come from studies (``add``) or from other files (``copy``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from neuralgraph.codecs.codebook import Codebook
from neuralgraph.codecs.registry import exact_form, interleaved_form
from neuralgraph.container.encode import encode_record
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.streams import CONCEPT_VECTOR_STREAMS, EMBEDDING_STREAMS
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import FormatError, StudyError
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import study_id_at
from neuralgraph.storage.smallest import SmallestWriter, without_dictionary
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["PROFILES", "RecordTarget", "check_profile", "record_target"]

PROFILES: tuple[str, ...] = ("compact", "train", "smallest")
"""What a file is for. "compact" (default): small, to keep and to send, every study the same bytes in every file.
"train": embeddings as they will stand in a batch, and a section from which loaders cut the graphs of whole batches;
larger, many times faster to train from. "smallest": numbers are packed, and the studies of an archive share a
dictionary, so that a study that leaves it is written anew, and one that lost it is lost."""


_REPEATABLE = {"float32", "bfloat16", "float16", "int8"} | {
    f"{kind}_interleaved" for kind in ("float32", "bfloat16", "float16")
}
"""Forms that give the same values when what they gave is written once more."""


def check_profile(profile: str) -> None:
    """Refuse what is not a profile.

    Raises
    ------
    StudyError (E_IDX) : ``profile`` is not one of ``PROFILES``.
    """
    if profile not in PROFILES:
        reason = f"{profile!r} is not a profile; use one of {', '.join(PROFILES)}"
        raise StudyError(reason, code="E_IDX", where="profile")


class RecordTarget:
    """A file that is being written.

    Parameters
    ----------
    writer : the file.
    train : it is to train from.
    smallest : what packs its records, when it is to be small.
    whole : its records are to lean on no dictionary, as that of a study alone must not.
    """

    def __init__(
        self,
        writer: ContainerWriter,
        *,
        train: bool = False,
        smallest: SmallestWriter | None = None,
        whole: bool = False,
    ) -> None:
        self._writer, self._train, self._smallest, self._whole = writer, train, smallest, whole

    def add_codebook(self, codebook: Codebook) -> None:
        """Put a codebook into the file, once."""
        self._writer.add_codebook(codebook)

    def add(self, record: bytes | memoryview, columns: StudyColumns, *, study_id: str) -> None:
        """Append a record.

        Parameters
        ----------
        record : encoded as the profile wants it; for "smallest" one that leans on no dictionary.
        columns : what it holds.
        study_id : the id it holds.

        Raises
        ------
        FormatError, LimitError : as ``ContainerWriter.add``.
        FormatError (E_SIZE) : embeddings of different widths, in a file to train from.
        """
        if self._smallest is not None:
            self._smallest.add(record, study_id=study_id, method=columns.method)
            return
        self._writer.add(record, study_id=study_id, method=columns.method)

    def copy(self, container: Container, position: int) -> None:
        """Copy one record after verifying its leaf, its streams, its content digest and the rules of the graph.

        Raises
        ------
        FormatError, StudyError : the record is damaged or breaks a rule.
        """
        record, columns = container.proven(position)
        study = Study.from_columns(columns)
        if study_id_at(container, position) != study.study_id:
            reason = f"the id of study {position} is not the one in its record"
            raise FormatError(reason, code="E_INDEX", where="keys")
        for digest in record.codebooks():
            codebook = container.shared.find_codebook(digest)
            if codebook is not None:
                self.add_codebook(codebook)
        self.add(self._data(container, record, columns), columns, study_id=study.study_id)

    def _data(self, container: Container, record: Record, columns: StudyColumns) -> bytes | memoryview:
        if self._train:
            return _for_loaders(record, columns)
        if self._whole or self._smallest is not None:
            return without_dictionary(record)
        for number in record.dictionaries():
            if (dictionary := container.shared.find_dictionary(number)) is not None:
                self._writer.add_dictionary(dictionary)
        return record.data

    def finish(self) -> None:
        """Write everything after the records; errors as ``ContainerWriter.finish``."""
        if self._smallest is not None:
            self._smallest.finish()
        self._writer.finish()


@contextmanager
def record_target(
    stream: BinaryIO, *, profile: str = "compact", whole: bool = False, limits: Limits | None = None
) -> Iterator[RecordTarget]:
    """A target of this profile that writes to ``stream``; to be finished by the caller.

    Raises
    ------
    StudyError (E_IDX) : unknown profile.
    """
    check_profile(profile)
    writer = ContainerWriter(stream, limits=limits)
    yield RecordTarget(
        writer,
        train=profile == "train",
        smallest=SmallestWriter(writer, limits=limits) if profile == "smallest" else None,
        whole=whole,
    )


def _for_loaders(record: Record, columns: StudyColumns) -> bytes:
    """The same study with its embedding interleaved and stored; every value stays.

    The form stays too, unless writing it again would change the values: then they are stored exactly.
    """
    embedding, concept_vectors = (
        entry.form if entry is not None and entry.form.name in _REPEATABLE else exact_form(matrix)
        for entry, matrix in (
            (record.form(EMBEDDING_STREAMS), columns.embedding),
            (record.form(CONCEPT_VECTOR_STREAMS), columns.concept_vectors),
        )
    )
    return encode_record(
        columns, embedding=interleaved_form(embedding), concept_vectors=concept_vectors, store_embedding=True
    )
