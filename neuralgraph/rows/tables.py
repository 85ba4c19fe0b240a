"""Rows as Arrow tables: what ``Archive.table`` gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neuralgraph.rows.columns import CONCEPT_FACTS, LABEL, STUDY_FACTS, TABLES, TRIPLE_FACTS, arrow
from neuralgraph.rows.facts import concept_rows, study_row, triple_rows

__all__ = ["Rows", "arrow_table", "schema_of"]


_WIDE = frozenset(("bytes", "film_pixels"))
_REPEATED = frozenset(STUDY_FACTS) - {"study_id", "digest", "patient"} | frozenset(CONCEPT_FACTS | TRIPLE_FACTS)
"""Columns of few different texts."""


def schema_of(table: str, labels: Iterable[str] = ()) -> Any:
    """The Arrow schema of a table; ``labels`` are names without prefix, float32 columns of studies."""
    pa = arrow()
    plain = {int: pa.int32(), float: pa.float32(), bool: pa.bool_(), str: pa.string()}
    fields = []
    for name, kind in TABLES[table].items():
        stored = plain[kind]
        if name in _REPEATED and kind is str:
            stored = pa.dictionary(pa.int32(), pa.string())
        fields.append(pa.field(name, pa.int64() if name in _WIDE else stored))
    return pa.schema(fields + [pa.field(f"{LABEL}{name}", pa.float32()) for name in sorted(labels)])


def arrow_table(table: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as an Arrow table; its schema depends on the labels of the rows, and on nothing else."""
    labels = {key.removeprefix(LABEL) for row in rows for key in row if key.startswith(LABEL)}
    schema = schema_of(table, labels)
    columns = {name: [row.get(name) for row in rows] for name in schema.names}
    return arrow().table(columns, schema=schema)


class Rows:
    """The rows of studies as they are read.

    Parameters
    ----------
    archive : how the archive is called in them.
    """

    def __init__(self, archive: str) -> None:
        self.archive = archive
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}

    def __len__(self) -> int:
        """Number of studies."""
        return len(self.rows["studies"])

    def add(
        self,
        study: Any,
        *,
        position: int,
        record_bytes: int,
        digest: str = "",
        patient: str = "",
        split: str = "",
    ) -> None:
        """Take a study; arguments as for ``facts.study_row``."""
        place = {"archive": self.archive, "position": position}
        row = study_row(study, **place, record_bytes=record_bytes, digest=digest, patient=patient, split=split)  # type: ignore[arg-type]
        self.rows["studies"].append(row)
        self.rows["concepts"] += concept_rows(study, **place)  # type: ignore[arg-type]
        self.rows["triples"] += triple_rows(study, **place)  # type: ignore[arg-type]

    def tables(self) -> dict[str, Any]:
        """The three Arrow tables, and forget the rows."""
        rows, self.rows = self.rows, {table: [] for table in TABLES}
        return {table: arrow_table(table, found) for table, found in rows.items()}
