"""Records from one file to another: as they stand, laid out for loaders, as small as can be, or whole on their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

from neuralgraph.codecs.registry import exact_form, interleaved_form
from neuralgraph.container.encode import encode_record
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.streams import CONCEPT_VECTOR_STREAMS, EMBEDDING_STREAMS
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import FormatError
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import study_id_at
from neuralgraph.storage.graph_section import GraphSectionWriter
from neuralgraph.storage.save import check_profile
from neuralgraph.storage.smallest import SmallestWriter, without_dictionary
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["RecordTarget", "record_target"]

_REPEATABLE = {"float32", "bfloat16", "float16", "int8"} | {
    f"{kind}_interleaved" for kind in ("float32", "bfloat16", "float16")
}
"""Forms that give the same values when what they gave is written once more."""


class RecordTarget:
    """A file that is written of records of other files.

    Parameters
    ----------
    writer : the file.
    graphs : its graphs section, when it is to train from.
    smallest : what packs its records, when it is to be small.
    whole : its records are to lean on no dictionary, as that of a study alone must not.
    """

    def __init__(
        self,
        writer: ContainerWriter,
        *,
        graphs: GraphSectionWriter | None = None,
        smallest: SmallestWriter | None = None,
        whole: bool = False,
    ) -> None:
        self._writer, self._graphs, self._smallest, self._whole = writer, graphs, smallest, whole

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
                self._writer.add_codebook(codebook)
        if self._smallest is not None:
            self._smallest.add(without_dictionary(record), study_id=study.study_id, method=columns.method)
            return
        written = self._writer.add(
            self._data(container, record, columns), study_id=study.study_id, method=columns.method
        )
        if self._graphs is not None:
            self._graphs.add(written, columns.graph, study_id=study.study_id)

    def _data(self, container: Container, record: Record, columns: StudyColumns) -> bytes | memoryview:
        if self._graphs is not None:
            return _for_loaders(record, columns)
        if self._whole:
            return without_dictionary(record)
        for number in record.dictionaries():
            if (dictionary := container.shared.find_dictionary(number)) is not None:
                self._writer.add_dictionary(dictionary)
        return record.data

    def finish(self) -> None:
        """Write everything after the records; errors as ``ContainerWriter.finish``."""
        if self._smallest is not None:
            self._smallest.finish()
        self._writer.finish(self._graphs.finish() if self._graphs else None)


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
    with ExitStack() as resources:
        writer = ContainerWriter(stream, limits=limits)
        yield RecordTarget(
            writer,
            graphs=resources.enter_context(GraphSectionWriter()) if profile == "train" else None,
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
