"""A collection at a glance, from its catalogue: the same facts as of any archive, without reading its studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from neuralgraph.catalogue.database import Catalogue
from neuralgraph.catalogue.overview import StudyCounts, StudyTotals, overview_facts, value_name
from neuralgraph.collection.catalogued import table_files
from neuralgraph.collection.collection import Collection
from neuralgraph.rows.columns import LABEL

__all__ = ["collection_facts", "collection_overview"]

_COMMITS = 10
_TOGETHER = 16
"""Archives whose findings are counted together."""


def collection_facts(collection: Collection) -> dict[str, Any]:
    """What the manifest says: sizes, and the last runs with their dates and the version of the program."""
    head = collection.head()
    return {
        "collection": head.collection,
        "snapshot": head.snapshot,
        "n_studies": head.studies,
        "archives": len(head.archives),
        "archive_bytes": head.bytes,
        "catalogue_bytes": sum(member.catalogue for member in head.archives),
        "receipt_bytes": sum(member.receipts for member in head.archives),
        "removed": len(head.removed),
        "commits": [asdict(commit) for commit in head.history[-_COMMITS:]],
    }


def collection_overview(collection: Collection) -> dict[str, Any]:
    """The facts of ``neuralgraph.catalogue.overview``.

    Raises
    ------
    CollectionError (E_QUERY) : the collection keeps no tables, or is empty.
    MissingExtraError (E_EXTRA) : duckdb or pyarrow is not installed.
    """
    with table_files(collection) as files, Catalogue(files) as catalogue:

        def rows(sql: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = catalogue.sql(sql).to_pylist()
            return found

        (total,) = rows(
            "SELECT count(*) AS studies, sum(bytes)::BIGINT AS record_bytes, sum(film_pixels)::BIGINT AS pixels, "
            "sum(4::BIGINT * cells * embedding_dim)::BIGINT AS vector_bytes, sum(patches)::BIGINT AS patches, "
            "sum(cells)::BIGINT AS cells, count(embedding_loss) AS lossy, "
            "coalesce(max(embedding_loss), 0) AS largest_loss FROM studies"
        )
        reports = rows("SELECT report, count(*) AS n FROM studies GROUP BY report ORDER BY report")
        models = rows(
            "SELECT coalesce(model, 'not stated') AS name, coalesce(model_digest, '')[1:12] AS digest, count(*) AS n "
            "FROM studies GROUP BY ALL ORDER BY ALL"
        )
        counts = StudyCounts(
            reports={row["report"]: row["n"] for row in reports},
            models={(row["name"], row["digest"]): row["n"] for row in models},
            labels=dict(_labels(rows)),
            findings=_findings(files),
        )
    return overview_facts(StudyTotals(**total), counts)


def _labels(rows: Callable[[str], list[dict[str, Any]]]) -> Iterator[tuple[str, dict[str, int]]]:
    """Of each label, how many studies have which value."""
    for column in (row["column_name"] for row in rows("SELECT column_name FROM (DESCRIBE studies)")):
        if not column.startswith(LABEL):
            continue
        quoted = '"' + column.replace('"', '""') + '"'
        counted: dict[str, int] = {}
        for row in rows(f"SELECT {quoted} AS value, count(*) AS n FROM studies WHERE {quoted} IS NOT NULL GROUP BY 1"):
            name = value_name(row["value"])
            counted[name] = counted.get(name, 0) + row["n"]
        yield column.removeprefix(LABEL), counted


def _findings(files: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
    """How many studies with a report that was given say of each finding that it is there, is not, or may be."""
    counts: dict[str, dict[str, int]] = {}
    for start in range(0, len(files["concepts"]), _TOGETHER):
        # A study is in one archive. All of them at once would keep every finding of every study in memory.
        with Catalogue({table: found[start : start + _TOGETHER] for table, found in files.items()}) as catalogue:
            rows = catalogue.sql(
                "SELECT name, polarity, count(*) AS n FROM (SELECT DISTINCT archive, position, name, polarity "
                "FROM concepts WHERE report = 'given' AND kind = 'observation' AND NOT EXISTS (FROM triples WHERE "
                "triples.archive = concepts.archive AND triples.position = concepts.position AND relation = 'modify' "
                "AND head = name)) GROUP BY ALL"
            ).to_pylist()
        for row in rows:
            said = counts.setdefault(row["name"], {})
            said[row["polarity"]] = said.get(row["polarity"], 0) + row["n"]
    return counts
