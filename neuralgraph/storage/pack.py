"""Packing and unpacking: records are copied byte for byte, so digests and leaves stay what they were.

An archive to train from, or one as small as can be, is written anew instead: the same content digests, other bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from neuralgraph.codecs.codebook import Codebook
from neuralgraph.codecs.registry import exact_form, interleaved_form
from neuralgraph.container.encode import encode_record
from neuralgraph.container.reader import Container
from neuralgraph.container.record import Record
from neuralgraph.container.streams import CONCEPT_VECTOR_STREAMS, EMBEDDING_STREAMS
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import FormatError, OutputError
from neuralgraph.graph.study import Study
from neuralgraph.storage.archive import located, ngr_files, study_id_at
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.files import is_folder
from neuralgraph.storage.graph_section import GraphSectionWriter
from neuralgraph.storage.remote import Place, is_url, open_source, place_name
from neuralgraph.storage.save import check_profile
from neuralgraph.storage.smallest import SmallestWriter, without_dictionary
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["pack", "unpack"]

_REPEATABLE = {"float32", "bfloat16", "float16", "int8"} | {
    f"{kind}_interleaved" for kind in ("float32", "bfloat16", "float16")
}
"""Forms that give the same values when what they gave is written once more."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
# Names that some systems keep for devices, whatever the suffix; and the names that other ids are given here.
_TAKEN_NAME = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|study-[0-9]+", re.ASCII | re.IGNORECASE)


class _Target(NamedTuple):
    """Where records go: into a file as they stand, laid out for loaders, as small as can be, or alone."""

    writer: ContainerWriter
    graphs: GraphSectionWriter | None = None
    smallest: SmallestWriter | None = None
    alone: bool = False
    """The file is to have one study, which leans on no dictionary then."""

    def finish(self) -> None:
        """Write everything after the records."""
        if self.smallest is not None:
            self.smallest.finish()
        self.writer.finish(self.graphs.finish() if self.graphs else None)


def _copy(container: Container, position: int, target: _Target) -> None:
    """Copy one record after verifying its leaf, its streams, its content digest and the rules of the graph."""
    writer, graphs, smallest, alone = target
    record, columns = container.proven(position)
    study = Study.from_columns(columns)
    if study_id_at(container, position) != study.study_id:
        reason = f"the id of study {position} is not the one in its record"
        raise FormatError(reason, code="E_INDEX", where="keys")
    for digest in record.codebooks():
        codebook = container.shared.find_codebook(digest)
        if codebook is not None:
            writer.add_codebook(codebook)
    if graphs is not None:
        written = writer.add(_for_loaders(record, columns), study_id=study.study_id, method=columns.method)
        graphs.add(written, columns.graph, study_id=study.study_id)
    elif smallest is not None:
        smallest.add(without_dictionary(record), study_id=study.study_id, method=columns.method)
    elif alone:
        writer.add(without_dictionary(record), study_id=study.study_id, method=columns.method)
    else:
        for number in record.dictionaries():
            if (dictionary := container.shared.find_dictionary(number)) is not None:
                writer.add_dictionary(dictionary)
        writer.add(record.data, study_id=study.study_id, method=columns.method)


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


def pack(
    paths: Sequence[str | os.PathLike[str]],
    archive: str | os.PathLike[str],
    *,
    profile: str = "compact",
    limits: Limits | None = None,
    codebooks: Iterable[Codebook] = (),
) -> int:
    """Put the studies of files, URLs and folders into one archive, in the order given; the number of studies.

    Parameters
    ----------
    paths : files and folders.
    archive : the archive to write.
    profile : "compact" copies records byte for byte. "train" lays the embeddings out for loaders and adds the graphs
        section; "smallest" stores light columns and reports in as few bytes as they can take, with a dictionary where
        one pays. Every value and content digest stays, the bytes of the records and so their leaves change.
    limits : what to accept.
    codebooks : for files that lean on the codebook of a model. The archive holds those that its records need.

    Raises
    ------
    StudyError (E_IDX) : unknown profile.
    CodecError (E_DICT) : a codebook is needed that is neither in a file nor given.
    FormatError (E_SIZE) : embeddings of different widths, in an archive to train from.
    FormatError, StudyError : an input is damaged or breaks a rule; nothing is written.
    FormatError (E_OPEN) : a folder holds no .ngr file.
    FormatError (E_DUP) : two studies have the same id.
    OutputError (E_OUTPUT, E_WRITE) : the archive cannot be written.
    """
    check_profile(profile)
    files = [file for path in paths for file in _files_of(path)]
    books, count = list(codebooks), 0
    with ExitStack() as resources:
        section = resources.enter_context(GraphSectionWriter()) if profile == "train" else None
        stream = resources.enter_context(atomic_file(archive))
        writer = ContainerWriter(stream, limits=limits)
        smallest = SmallestWriter(writer, limits=limits) if profile == "smallest" else None
        target = _Target(writer, section, smallest)
        for file in files:
            with open_source(file) as source, located(place_name(file)):
                container = Container(source, limits=limits, codebooks=books)
                container.verify_root()
                for position in range(len(container)):
                    _copy(container, position, target)
            count += len(container)
        target.finish()
    return count


def _files_of(path: Place) -> Sequence[Place]:
    if is_url(path) or not is_folder(path):
        return [path]
    files = ngr_files(Path(path))
    if not files:
        raise FormatError("the folder holds no .ngr file", code="E_OPEN", where=str(path))
    return files


def unpack(
    archive: str | os.PathLike[str], folder: str | os.PathLike[str], *, limits: Limits | None = None
) -> list[Path]:
    """Write every study of an archive to a file of its own, named by its id; the paths, in order.

    Records are copied byte for byte, except those that lean on a dictionary of the archive: they are written without.

    Ids that are no plain file names become ``study-<position>``. Existing files are not replaced.

    Raises
    ------
    FormatError, StudyError : the archive is damaged, or a study breaks a rule.
    OutputError (E_OUTPUT) : the folder cannot be created or a file exists already; nothing is overwritten.
    """
    place = Path(folder)
    with open_source(archive) as source, located(place_name(archive)):
        container = Container(source, limits=limits)
        container.verify_root()
        paths = [place / _file_name(study_id_at(container, n), n) for n in range(len(container))]
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot create the folder ({error.strerror})", where=str(folder)) from error
        for path in paths:
            _refuse_existing(path)
        for position, path in enumerate(paths):
            # Again, because a file system that ignores case gives two ids the same file.
            _refuse_existing(path)
            with atomic_file(path) as stream:
                target = _Target(ContainerWriter(stream, limits=limits), alone=True)
                _copy(container, position, target)
                target.finish()
    return paths


def _file_name(study_id: str, position: int) -> str:
    plain = _PLAIN_NAME.fullmatch(study_id) and not study_id.endswith(".") and not _TAKEN_NAME.fullmatch(study_id)
    return f"{study_id if plain else f'study-{position:07d}'}.ngr"


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise OutputError("the file exists already; choose an empty folder", where=str(path))
