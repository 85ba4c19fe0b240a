"""An archive that a collection holds, open to be written again: proven once, its records and table rows go along.

Every record was proven when it was added. That the bytes are still those is proven by digests alone: the root that the
manifest states, the index under it, and the leaf of each record that is copied. So writing an archive again costs a
hash of its bytes and not the meaning of its studies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.access.files import located
from neuralgraph.collection.places import Room
from neuralgraph.container.reader import Container
from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.rows.columns import LABEL, TABLES, arrow
from neuralgraph.storage.lookup import study_id_at
from neuralgraph.storage.manifest import Member
from neuralgraph.wire.checksums import leaf_digest

__all__ = ["Held", "held_archive"]


class Held:
    """An open archive of a collection.

    Parameters
    ----------
    container : of its file.
    tables : its Arrow tables; none where the collection keeps none.
    """

    def __init__(self, container: Container, tables: dict[str, Any]) -> None:
        self.container, self.tables = container, tables

    def __len__(self) -> int:
        """Number of studies."""
        return len(self.container)

    def study_id(self, position: int) -> str:
        """Id of a study, as the keys have it."""
        return study_id_at(self.container, position)

    def record(self, position: int) -> tuple[memoryview, bytes]:
        """The bytes of a record and its method.

        Raises
        ------
        ChecksumError (E_DIGEST) : they are not those that were added.
        """
        data = self.container.record_bytes(position)
        if leaf_digest(data) != self.container.index.leaf(position):
            reason = "the record does not match its leaf digest"
            raise ChecksumError(reason, code="E_DIGEST", where=f"record[{position}]")
        return data, self.container.method(self.container.record(position, data))

    def rows(self, positions: NDArray[np.int64], *, archive: str, start: int) -> dict[str, Any]:
        """The rows of some studies, as rows of another archive, where they stand from ``start`` on.

        Parameters
        ----------
        positions : int64 [n], ascending.
        archive : the name of the other.
        start : position of the first.
        """
        pa = arrow()
        found = {}
        for name, table in self.tables.items():
            column = table["position"].to_numpy()
            kept = np.flatnonzero(np.isin(column, positions))
            moved = np.searchsorted(positions, column[kept]) + start
            part = table.take(pa.array(kept))
            part = part.set_column(part.schema.get_field_index("position"), "position", pa.array(moved, pa.int32()))
            names = pa.repeat(pa.scalar(archive), len(kept))
            part = part.set_column(part.schema.get_field_index("archive"), "archive", names)
            # The name of a label that only a removed study had is gone with it.
            empty = [each for each in part.column_names if each.startswith(LABEL)]
            found[name] = part.drop_columns([each for each in empty if part[each].null_count == len(part)])
        return found


@contextmanager
def held_archive(room: Room, member: Member, *, tables: bool) -> Iterator[Held]:
    """An archive of a collection, open in the block; ``tables`` says whether it has any.

    Raises
    ------
    FormatError (E_MANIFEST) : it is not the one that the manifest means, or its tables cannot be read.
    ChecksumError (E_DIGEST, E_CRC) : its index does not give its root.
    """
    found = {name: _table(room, member, name) for name in TABLES} if tables else {}
    with room.source(member.path) as source, located(room.place(member.path)):
        container = Container(source)
        if container.root.hex() != member.root or len(container) != member.studies:
            reason = "the archive is not the one that the manifest means; it was replaced or damaged"
            raise FormatError(reason, code="E_MANIFEST", where=member.path)
        container.verify_root()
        yield Held(container, found)


def _table(room: Room, member: Member, name: str) -> Any:
    pa = arrow()
    from pyarrow import parquet

    path = member.table_path(name)
    try:
        table = parquet.read_table(BytesIO(room.read(path)))
    except pa.ArrowInvalid as error:
        raise FormatError("a table of the archive cannot be read", code="E_MANIFEST", where=path) from error
    if name == "studies" and table["position"].to_pylist() != list(range(member.studies)):
        raise FormatError("a table of the archive does not list its studies", code="E_MANIFEST", where=path)
    return table
