"""New archives of a collection: records copied byte for byte, each proven, with their receipts and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np

from neuralgraph.catalogue.tables import joined, write_parquet
from neuralgraph.collection.collection import Change, Collection, files_of
from neuralgraph.collection.held import Held
from neuralgraph.collection.receipts import StudyReceipt, write_receipts
from neuralgraph.container.reader import Container
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.graph.study import Study
from neuralgraph.rows.columns import TABLES, arrow
from neuralgraph.rows.tables import Rows
from neuralgraph.storage.gate import prove
from neuralgraph.storage.manifest import Manifest, Member

__all__ = ["ArchiveWriter", "Progress"]

Progress = Callable[[int, int], None]
"""Told how many studies of how many are done."""


class ArchiveWriter:
    """Writes the archives of one change, of as many studies as the manifest says; nothing counts before the commit.

    Used in a ``with`` block: what was written is deleted when the block ends with an exception.

    Parameters
    ----------
    collection : which.
    manifest : its state.
    change : takes the archives.
    """

    def __init__(self, collection: Collection, manifest: Manifest, change: Change) -> None:
        self._collection, self._manifest, self._change = collection, manifest, change
        self._stack: ExitStack | None = None
        self._writer: ContainerWriter
        self._name = ""
        self._count = 0
        self._receipts: dict[str, StudyReceipt] = {}
        self._rows: Rows | None = None
        self._copied: list[tuple[Held, int, list[int]]] = []
        """Archives whose rows go along, the position from which on, and which of their studies."""
        if manifest.catalogue:
            arrow()

    def __enter__(self) -> ArchiveWriter:
        """The writer itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: Any) -> None:
        """Finish the last archive, or delete what was written."""
        if kind is None:
            self.finish()
            return
        if self._stack is not None:
            self._stack.__exit__(kind, *rest)
            self._stack = None
            for name in files_of(Member(self._name, 1, 1, "")):
                self._collection.room.delete(name)
        self._collection.discard(self._change.added)

    def copy(self, container: Container, position: int, receipt: StudyReceipt) -> None:
        """Append a record of an open file.

        Raises
        ------
        FormatError, StudyError : the record is damaged or breaks a rule.
        """
        data = container.record_bytes(position)
        columns = prove(container, position, data=data)
        writer = self._begun()
        study_id = columns.study_id.decode()
        record = writer.add(data, study_id=study_id, method=columns.method)
        if not receipt.empty:
            self._receipts[study_id] = receipt
        if self._rows is not None:
            self._rows.add(
                Study.from_columns(columns),
                position=self._count,
                record_bytes=len(data),
                digest=record.content_digest.hex(),
                patient=receipt.patient,
                split=receipt.split,
            )
        self._counted()

    def copy_held(self, held: Held, position: int, receipt: StudyReceipt) -> None:
        """Append a record of an archive that the collection holds, and its rows.

        Raises
        ------
        ChecksumError (E_DIGEST) : the record is damaged.
        """
        data, method = held.record(position)
        writer = self._begun()
        study_id = held.study_id(position)
        writer.add(data, study_id=study_id, method=method)
        if not receipt.empty:
            self._receipts[study_id] = receipt
        if held.tables:
            if not self._copied or self._copied[-1][0] is not held:
                self._copied.append((held, self._count, []))
            self._copied[-1][2].append(position)
        self._counted()

    def _counted(self) -> None:
        self._count += 1
        if self._count >= self._manifest.archive_studies:
            self.finish()

    def _begun(self) -> ContainerWriter:
        if self._stack is None:
            self._name, self._count, self._receipts = self._collection.new_name(), 0, {}
            self._rows = Rows(self._name) if self._manifest.catalogue else None
            self._copied = []
            self._stack = ExitStack()
            stream = self._stack.enter_context(self._collection.room.writing(f"archives/{self._name}.ngr"))
            self._writer = ContainerWriter(stream)
        return self._writer

    def finish(self) -> None:
        """Complete the archive that is being written, if there is one."""
        if self._stack is None:
            return
        stack, self._stack = self._stack, None
        with stack:
            root = self._writer.finish()
        room, name = self._collection.room, self._name
        member = Member(name, self._count, room.size(f"archives/{name}.ngr"), root.hex())
        self._change.added.append(member)
        receipts = write_receipts(room, name, self._receipts)
        tables = 0
        if self._rows is not None:
            for table, found in self._tables(self._rows).items():
                with room.writing(member.table_path(table)) as stream:
                    write_parquet(found, stream)
                tables += room.size(member.table_path(table))
        self._change.added[-1] = Member(name, self._count, member.bytes, member.root, receipts, tables)

    def _tables(self, rows: Rows) -> dict[str, Any]:
        parts = [
            held.rows(np.array(positions, np.int64), archive=self._name, start=start)
            for held, start, positions in self._copied
        ]
        if len(rows):
            parts.append(rows.tables())
        return {table: joined([part[table] for part in parts], table) for table in TABLES}


def receipt_of(receipts: Mapping[str, StudyReceipt], study_id: str) -> StudyReceipt:
    """The receipt of a study; an empty one where there is none."""
    return receipts.get(study_id) or StudyReceipt()
