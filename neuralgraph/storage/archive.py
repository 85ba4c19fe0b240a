"""Reading studies: one file, an archive, or a folder of either."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from operator import index
from pathlib import Path
from typing import overload

from neuralgraph.codecs.registry import ExtraCodecs
from neuralgraph.container.contents import INDEX
from neuralgraph.container.reader import ByteSource, BytesSource, Container
from neuralgraph.container.record import GRAPH_STREAM
from neuralgraph.errors import FormatError, NeuralGraphError, OutputError, StudyNotFoundError
from neuralgraph.graph.strings import split_strings
from neuralgraph.graph.study import Study
from neuralgraph.storage.files import FileSource, is_folder, read_error
from neuralgraph.wire.columns import split_graph
from neuralgraph.wire.limits import Limits

__all__ = ["Archive", "load", "load_bytes", "located", "ngr_files", "open_archive", "study_id_at"]


@contextmanager
def located(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of a file in front of the place that an error from it names."""
    try:
        yield
    except OutputError:
        # Its place is the file that was to be written.
        raise
    except NeuralGraphError as error:
        if error.where != str(path):
            error.where = f"{path}: {error.where}" if error.where else str(path)
        raise


def load(
    path: str | os.PathLike[str], *, limits: Limits | None = None, extra_codecs: ExtraCodecs | None = None
) -> Study:
    """The study of a file that holds exactly one.

    Every checksum, the leaf, the root, the content digest and every rule of the graph is verified.

    Parameters
    ----------
    path : a local .ngr file.
    limits : what to accept; the defaults suit one study of any modality this version knows.
    extra_codecs : decoders for encodings of a private agreement, by id from 0x8000 on; what the book holds cannot be
        replaced (FORMAT.md section 7.6).

    Raises
    ------
    FormatError : the file cannot be read, is damaged or breaks FORMAT.md; the code says how.
    FormatError (E_OPEN) : the file holds several studies; use ``open_archive``.
    StudyError : the graph breaks its rules.
    LimitError (E_LIMIT) : larger than ``limits`` allow.
    """
    with FileSource(path) as source, located(path):
        return _only_study(source, limits, extra_codecs)


def load_bytes(
    data: bytes | memoryview, *, limits: Limits | None = None, extra_codecs: ExtraCodecs | None = None
) -> Study:
    """The study of a file held in memory; same promises and errors as ``load``."""
    return _only_study(BytesSource(data), limits, extra_codecs)


def _only_study(source: ByteSource, limits: Limits | None, extra_codecs: ExtraCodecs | None) -> Study:
    container = Container(source, limits=limits, extra_codecs=extra_codecs)
    if len(container) != 1:
        reason = f"the file holds {len(container)} studies; open it as an archive with neuralgraph.open"
        raise FormatError(reason, code="E_OPEN")
    _, columns = container.proven(0)
    container.verify_root()
    for name in container.contents.sections:
        if name != INDEX:
            container.section(name)
    return Study.from_columns(columns)


def ngr_files(folder: Path) -> list[Path]:
    """The .ngr files of a folder and its sub-folders, hidden ones left out, in ascending order of their paths.

    Raises
    ------
    FormatError (E_OPEN) : a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise read_error(error.filename or folder, error) from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name) for name in names if name.endswith(".ngr") and not name.startswith(".")]
        found += [path for path in paths if path.is_file()]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


class Archive(Sequence[Study]):
    """One to many studies behind one face, whether they lie in one file or in a folder of files.

    Studies are read when they are asked for; each is verified on every access: stream checksums, content digest and the
    rules of the graph.
    """

    def __init__(self, containers: Sequence[tuple[Path, FileSource, Container]]) -> None:
        self._files = containers
        self._ends = list(accumulate(len(container) for _, _, container in containers))
        self._positions: dict[str, int] | None = None

    def __len__(self) -> int:
        """Number of studies."""
        return self._ends[-1]

    def _locate(self, position: int) -> tuple[Path, Container, int]:
        if not -len(self) <= position < len(self):
            raise StudyNotFoundError(f"position {position} of {len(self)} studies", where=str(position))
        position %= len(self)
        number = bisect_right(self._ends, position)
        path, _, container = self._files[number]
        return path, container, position - (self._ends[number - 1] if number else 0)

    def _position(self, study_id: str) -> int:
        if len(self._files) == 1 and self._files[0][2].keys is not None:
            found = self._files[0][2].keys.find(study_id)
        else:
            if self._positions is None:
                self._positions = {name: position for position, name in enumerate(self.ids)}
            found = self._positions.get(study_id)
        if found is None:
            raise StudyNotFoundError(f"no study {study_id!r} among {len(self)}", where=study_id)
        return found

    @overload
    def __getitem__(self, key: int | str) -> Study: ...

    @overload
    def __getitem__(self, key: slice) -> list[Study]: ...

    def __getitem__(self, key: int | str | slice) -> Study | list[Study]:
        """A study by position or by id, or a list of studies by slice.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : no such study.
        FormatError, StudyError : the study is damaged or breaks a rule.
        TypeError : the key is neither a whole number, nor a text, nor a slice.
        """
        if isinstance(key, slice):
            return [self[position] for position in range(*key.indices(len(self)))]
        path, container, position = self._locate(self._position(key) if isinstance(key, str) else index(key))
        with located(path):
            study = Study.from_columns(container.columns(position))
            if container.keys is not None and container.keys.study_id_bytes(position) != study.study_id.encode():
                reason = f"the id of study {position} is not the one in its record"
                raise FormatError(reason, code="E_INDEX", where="keys")
            return study

    def __contains__(self, item: object) -> bool:
        """Whether there is a study of this id."""
        if not isinstance(item, str):
            return False
        try:
            self._position(item)
        except StudyNotFoundError:
            return False
        return True

    def __iter__(self) -> Iterator[Study]:
        """Studies in order."""
        return (self[position] for position in range(len(self)))

    @property
    def ids(self) -> list[str]:
        """Study ids in order.

        Raises
        ------
        FormatError (E_DUP) : two files of a folder hold a study of the same id.
        """
        ids: list[str] = []
        for path, _, container in self._files:
            with located(path):
                ids += [study_id_at(container, position) for position in range(len(container))]
        if len(self._files) > 1 and len(set(ids)) != len(ids):
            repeated = Counter(ids).most_common(1)[0][0]
            raise FormatError(f"two files hold a study with the id {repeated!r}", code="E_DUP")
        return ids

    def close(self) -> None:
        """Close the files; harmless when closed already."""
        for _, source, _ in self._files:
            source.close()

    def __enter__(self) -> Archive:
        """The archive itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()


def study_id_at(container: Container, position: int) -> str:
    """Id of a study, from the keys of an archive or from the record of a single file.

    Raises
    ------
    FormatError : keys or record are damaged.
    FormatError (E_TEXT) : the id is not UTF-8.
    """
    if container.keys is not None:
        return container.keys.study_id(position)
    record = container.record(position)
    graph = split_graph(record.counts, record.read(GRAPH_STREAM))
    try:
        return split_strings(graph["string_bytes"][:1], graph["text"])[0].decode()
    except UnicodeDecodeError as error:
        raise FormatError("an id is not valid UTF-8", code="E_TEXT", where=f"record[{position}].study_id") from error


def open_archive(
    path: str | os.PathLike[str], *, limits: Limits | None = None, extra_codecs: ExtraCodecs | None = None
) -> Archive:
    """Open one file, an archive, or a folder of them (searched with its sub-folders, in path order).

    ``limits`` and ``extra_codecs`` are those of ``load``.

    Raises
    ------
    FormatError (E_OPEN) : nothing there, or a folder without .ngr files.
    FormatError : a file is damaged or breaks FORMAT.md.
    """
    target = Path(path)
    paths = ngr_files(target) if is_folder(target) else [target]
    if not paths:
        raise FormatError("the folder holds no .ngr file", code="E_OPEN", where=str(path))
    with ExitStack() as on_failure:
        opened = []
        for file in paths:
            source = on_failure.enter_context(FileSource(file))
            with located(file):
                opened.append((file, source, Container(source, limits=limits, extra_codecs=extra_codecs)))
        on_failure.pop_all()
    return Archive(opened)
