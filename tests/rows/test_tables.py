"""Rows as Arrow tables."""

from __future__ import annotations

import pytest
from builders import build_study

from neuralgraph.errors import StudyError
from neuralgraph.rows.columns import TABLES, check_table
from neuralgraph.rows.tables import Rows, schema_of

pytest.importorskip("pyarrow", reason="the extra catalog is not installed")


def test_columns_do_not_depend_on_what_rows_hold():
    rows = Rows("a.ngr")
    for number in range(2):
        rows.add(build_study(seed=number, study_id=str(number), dim=16), position=number, record_bytes=100)
    assert len(rows) == 2
    tables = rows.tables()
    assert len(rows) == 0
    assert tables["studies"]["position"].to_pylist() == [0, 1]
    for table, columns in TABLES.items():
        assert tables[table].schema.names[: len(columns)] == list(columns)


def test_labels_are_columns_in_order_of_their_names():
    assert schema_of("studies", ["b", "a"]).names[-2:] == ["label.a", "label.b"]


def test_what_is_no_table_is_refused():
    with pytest.raises(StudyError, match="E_IDX"):
        check_table("patients")
