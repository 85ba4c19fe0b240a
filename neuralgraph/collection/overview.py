"""A collection at a glance, from its catalogue: the same facts as of any archive, without reading its studies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from neuralgraph.collection.catalogued import catalogue_of
from neuralgraph.collection.collection import Collection
from neuralgraph.storage.facts import LABEL
from neuralgraph.storage.overview import overview_facts, value_name

__all__ = ["collection_facts", "collection_overview"]

_FINDINGS = 30
_COMMITS = 10


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
    """The facts of ``neuralgraph.storage.overview``.

    Raises
    ------
    CollectionError (E_QUERY) : the collection keeps no tables, or is empty.
    MissingExtraError (E_EXTRA) : duckdb or pyarrow is not installed.
    """
    with catalogue_of(collection) as catalogue:

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
        labels: dict[str, dict[str, int]] = {}
        columns = [row["column_name"] for row in rows("SELECT column_name FROM (DESCRIBE studies)")]
        for column in sorted(name for name in columns if name.startswith(LABEL)):
            quoted = '"' + column.replace('"', '""') + '"'
            counts: dict[str, int] = {}
            values = rows(f"SELECT {quoted} AS value, count(*) AS n FROM studies WHERE {quoted} IS NOT NULL GROUP BY 1")
            for row in values:
                name = value_name(row["value"])
                counts[name] = counts.get(name, 0) + row["n"]
            labels[column.removeprefix(LABEL)] = dict(sorted(counts.items()))
        said = (
            "FROM (SELECT DISTINCT archive, position, name, polarity FROM concepts "
            "WHERE report = 'given' AND kind = 'observation')"
        )
        findings = rows(
            "SELECT name, count(*) FILTER (polarity = 'absent') AS absent, count(*) FILTER (polarity = 'present') AS "
            f"present, count(*) FILTER (polarity = 'uncertain') AS uncertain {said} "
            f"GROUP BY name ORDER BY count(*) DESC, name LIMIT {_FINDINGS}"
        )
        (different,) = rows(f"SELECT count(DISTINCT name) AS n {said}")
    return overview_facts(
        **total,
        reports={row["report"]: row["n"] for row in reports},
        models=[(row["name"], row["digest"], row["n"]) for row in models],
        labels=labels,
        findings=[
            (row["name"], {key: row[key] for key in ("absent", "present", "uncertain") if row[key]}) for row in findings
        ],
        n_findings=different["n"],
    )
