"""Reading studies: one file, an archive, a folder, a URL, or a list of these."""

from __future__ import annotations

import html
import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import accumulate
from operator import index
from pathlib import Path
from typing import Any, TypeAlias, overload

from neuralgraph.access.files import located, read_error
from neuralgraph.access.places import Place, place_name
from neuralgraph.access.sources import Source, open_source
from neuralgraph.codecs.registry import ExtraCodecs
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.errors import FormatError, StudyNotFoundError
from neuralgraph.graph.study import Study
from neuralgraph.rows.columns import check_table
from neuralgraph.rows.tables import Rows
from neuralgraph.storage.gate import Level, examine_file, first_error, prove
from neuralgraph.storage.lookup import StudyIds
from neuralgraph.storage.manifest import ARCHIVES, MARKER, collection_files, is_collection
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.study_columns import StudyColumns

__all__ = ["Archive", "OpenFile", "load", "load_bytes", "ngr_files"]

_IDS_SHOWN = 10
"""Ids that a notebook shows of an archive."""


OpenFile: TypeAlias = tuple[Path | str, Source, Container]
"""A file of an archive: its path, or its URL without keys; its bytes; what they hold."""


def load(
    path: Place,
    *,
    limits: Limits | None = None,
    extra_codecs: ExtraCodecs | None = None,
    timeout: float | None = None,
) -> Study:
    """The study of a file that holds exactly one.

    Every checksum, the leaf, the root, the content digest and every rule of the graph is verified.

    Parameters
    ----------
    path : an .ngr file, a URL of one, or one in memory (``io.BytesIO``).
    limits : what to accept; the defaults suit one study of any modality this version knows.
    extra_codecs : decoders for encodings of a private agreement, by id from 0x8000 on; what the book holds cannot be
        replaced (FORMAT.md section 7.1).
    timeout : of a URL: seconds that the server may take for a request, all attempts together, and for each further MiB
        of it; None is 30.

    Raises
    ------
    FormatError : the file cannot be read, is damaged or breaks FORMAT.md; the code says how.
    FormatError (E_OPEN) : the file holds several studies; use ``neuralgraph.open``.
    StudyError : the graph breaks its rules.
    LimitError (E_LIMIT) : larger than ``limits`` allow.
    """
    with open_source(path, timeout=timeout) as source, located(place_name(path)):
        return _only_study(Container(source, limits=limits, extra_codecs=extra_codecs))


def load_bytes(
    data: bytes | memoryview, *, limits: Limits | None = None, extra_codecs: ExtraCodecs | None = None
) -> Study:
    """The study of a file held in memory; same promises and errors as ``load``."""
    return _only_study(Container(BytesSource(data), limits=limits, extra_codecs=extra_codecs))


def _only_study(container: Container) -> Study:
    if len(container) != 1:
        reason = f"the file holds {len(container)} studies; open it as an archive with neuralgraph.open"
        raise FormatError(reason, code="E_OPEN")
    found: list[StudyColumns] = []
    first_error(examine_file(container, level=Level.MEANING, take=found.append))
    return Study.from_columns(found[0])


def ngr_files(folder: Path) -> list[Path]:
    """The .ngr files of a folder and its sub-folders, hidden ones left out, in ascending order of their paths.

    Of a collection, at the top or below, those that its manifest counts, in its order; of its folder of archives too.

    Raises
    ------
    FormatError (E_OPEN) : a folder cannot be read.
    FormatError (E_MANIFEST) : the manifest of a collection is damaged.
    """
    if is_collection(folder):
        return collection_files(folder)
    around = Path(os.path.abspath(folder))
    if around.name == ARCHIVES and is_collection(around.parent):
        return [folder / path.name for path in collection_files(around.parent)]

    def refuse(error: OSError) -> None:
        raise read_error(error.filename or folder, error) from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        if MARKER in names:
            folders.clear()
            found += collection_files(Path(parent))
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [Path(parent, name) for name in names if name.endswith(".ngr") and not name.startswith(".")]
        found += [path for path in paths if path.is_file()]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


class Archive(Sequence[Study]):
    """One to many studies behind one face, whether they lie in one file, in a folder of files or behind a URL.

    Studies are read when they are asked for, and proven at every access: header, streams, content digest, leaf,
    the rules of the graph, and the id (``neuralgraph.storage.gate``).

    Parameters
    ----------
    files : open files, in order.
    """

    def __init__(self, files: Sequence[OpenFile]) -> None:
        self._files = files
        self._ends = list(accumulate(len(container) for _, _, container in files))
        self._ids = StudyIds([(str(path), container) for path, _, container in files])

    def __len__(self) -> int:
        """Number of studies."""
        return self._ends[-1]

    @property
    def files(self) -> Sequence[OpenFile]:
        """The open files in order, for readers of whole batches."""
        return self._files

    @property
    def ids(self) -> StudyIds:
        """Study ids in order, as a sequence that reads what is looked at; listing all of several files raises E_DUP
        when two hold a study of the same id.
        """
        return self._ids

    def _locate(self, position: int) -> tuple[int, int]:
        """Number of the file and position in it."""
        if not -len(self) <= position < len(self):
            raise StudyNotFoundError(f"position {position} of {len(self)} studies", where=str(position))
        position %= len(self)
        number = bisect_right(self._ends, position)
        return number, position - (self._ends[number - 1] if number else 0)

    def position(self, study_id: str) -> int:
        """Position of the study of this id; O(log n) in a file of n studies.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : no such study.
        FormatError (E_DUP) : two files hold a study of this id.
        """
        found = self._ids.find(study_id)
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
        return self.read(key)

    def read(self, key: int | str, *, retain: float | None = None, max_patches: int | None = None) -> Study:
        """A study by position or by id, whole or pruned harder.

        Parameters
        ----------
        key : position or id.
        retain : share of the grid's cells to keep, in (0, 1], as for ``Study.prune``.
        max_patches : number of patches to keep; at most one of the two is given.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : no such study.
        FormatError, StudyError : the study is damaged or breaks a rule, or an argument is out of range.
        """
        number, within = self._locate(self.position(key) if isinstance(key, str) else index(key))
        path, _, container = self._files[number]
        with located(path):
            study = Study.from_columns(prove(container, within))
            if retain is None and max_patches is None:
                return study
            return study.prune(retain=retain, top_k=max_patches)

    def read_many(self, positions: Iterable[int]) -> list[Study]:
        """Studies in the order asked; the way to read several from far away.

        Records that lie within 64 KiB of each other are read together, in the order of the files, and the system is
        told of all of them first; behind a network they are under way at the same time.

        Parameters
        ----------
        positions : each in range, negative ones counted from the end; repeated ones are read once.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : a position out of range.
        FormatError, StudyError : a study is damaged or breaks a rule.
        """
        places = [self._locate(index(position)) for position in positions]
        found: dict[tuple[int, int], Study] = {}
        for number in sorted({number for number, _ in places}):
            path, _, container = self._files[number]
            wanted = [within for file, within in places if file == number]
            with located(path):
                for within, data in container.records_bytes(wanted):
                    found[number, within] = Study.from_columns(prove(container, within, data=data))
        return [found[place] for place in places]

    def foresee(self, positions: Iterable[int], *, now: bool = False) -> None:
        """Say which studies will be read next: from far away they come with few requests, and none is read here.

        Parameters
        ----------
        positions : in range.
        now : fetch them while others are used, the first 16 MiB of a file; otherwise they come with the next request,
            the first 64 MiB.

        Raises
        ------
        StudyNotFoundError (E_NOT_FOUND) : a position out of range.
        FormatError : the index of a file is damaged, or cannot be read.
        """
        if not any(source.far for _, source, _ in self._files):
            return
        wanted: dict[int, list[int]] = {}
        for number, within in map(self._locate, positions):
            wanted.setdefault(number, []).append(within)
        for number, places in wanted.items():
            path, _, container = self._files[number]
            with located(path):
                container.foresee(places, now=now)

    @property
    def methods(self) -> list[bytes]:
        """The different method maps of the files, canonical: more than one says that studies were made in different
        ways (by other models, or pruned otherwise), which must be meant before they train one model.
        """
        maps = (method for _, _, container in self._files for method in container.contents.methods.values())
        return list(dict.fromkeys(maps))

    def locate(self, study_id: str) -> tuple[int, int]:
        """Number of the file that holds the study of this id, and its position in it; errors as ``position``."""
        return self._locate(self.position(study_id))

    def table(self, name: str = "studies") -> Any:
        """What is in the studies, as an Arrow table; ``.to_pandas()``, or ``polars.from_arrow``, take it from there.

        Every study is read and proven. For many archives make a catalogue once (``ngr catalog``) and ask that.

        Parameters
        ----------
        name : "studies", one row each; or "concepts" or "triples". ``neuralgraph.rows.columns`` names the columns.

        Raises
        ------
        StudyError (E_IDX) : there is no such table.
        FormatError, StudyError : a study is damaged or breaks a rule.
        MissingExtraError (E_EXTRA) : pyarrow is not installed; it is in the extra ``catalog``.
        """
        check_table(name)
        rows = Rows("")
        for path, _, container in self._files:
            rows.archive = str(path).rsplit("/", 1)[-1]
            with located(path):
                for position in range(len(container)):
                    data = container.record_bytes(position)
                    study = Study.from_columns(prove(container, position, data=data))
                    rows.add(study, position=position, record_bytes=len(data))
        return rows.tables()[name]

    def __contains__(self, item: object) -> bool:
        """Whether there is a study of this id."""
        return item in self._ids

    def __iter__(self) -> Iterator[Study]:
        """Studies in order."""
        return (self[position] for position in range(len(self)))

    def _repr_html_(self) -> str:
        """What a notebook shows: how many studies in how many files, and the first ids; no paths, no content."""
        first = [html.escape(study_id) for study_id in self.ids[:_IDS_SHOWN]]
        more = f", … and {len(self) - len(first):,} more" if len(self) > len(first) else ""
        studies = f"{len(self):,} {'study' if len(self) == 1 else 'studies'}"
        files = f"{len(self._files):,} {'file' if len(self._files) == 1 else 'files'}"
        return f"<p><b>{studies}</b> in {files}: {', '.join(first)}{more}</p>"

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy, here or in another process, opens the files for itself, by path or URL, and refuses others that lie
        there by then.

        Raises
        ------
        TypeError : when copied or pickled after it was closed; when pickled, also for a file in memory.
        """
        return Archive, (list(self._files),)

    def __copy__(self) -> Archive:
        """Like ``copy.deepcopy``: two archives must not share what one of them may close."""
        return deepcopy(self)

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
