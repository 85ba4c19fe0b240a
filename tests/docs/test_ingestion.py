"""Tables of the documentation say what the code does."""

import re
from pathlib import Path

from neuralgraph.bulk.outcome import Outcome
from neuralgraph.bulk.textfile import METRICS, metrics_text
from neuralgraph.sources.layouts import COLUMNS, LAYOUTS

PAGE = (Path(__file__).parents[2] / "docs" / "ingestion.md").read_text(encoding="utf-8")


def table(mark):
    """The rows of the table behind a mark, cells without backquotes."""
    rows = re.search(rf"<!-- {re.escape(mark)} -->\n\n\|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE)[1].splitlines()
    return [[cell.strip().replace("`", "") for cell in row.strip("|").split("|")] for row in rows]


def test_columns_of_a_manifest():
    rows = table("columns: neuralgraph/sources/layouts/columns.py")
    assert rows[:-1] == [[column.name, ", ".join(column.also), column.meaning.replace("`", "")] for column in COLUMNS]
    assert rows[-1][0] == "label.NAME"


def test_metrics():
    rows = table("metrics: neuralgraph/bulk/textfile.py")
    assert rows[: len(METRICS)] == [[metric.name, metric.kind, metric.meaning] for metric in METRICS]
    written = metrics_text(Outcome(planned=1), running=True, moment=0.0)
    assert [row[0] for row in rows] == re.findall(r"^([a-z_]+) ", written, re.MULTILINE)


def test_layouts():
    assert {row[0] for row in table("layouts: neuralgraph/sources/layouts/__init__.py")} == set(LAYOUTS)
