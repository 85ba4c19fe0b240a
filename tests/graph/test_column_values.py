"""What does not fit a column is refused, not wrapped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neuralgraph.errors import StudyError
from neuralgraph.graph.column_values import code_of, exactly
from neuralgraph.wire.columns import GRAPH_COLUMNS, Counts

COUNTS = Counts(**dict.fromkeys(Counts.__dataclass_fields__, 2))
COLUMNS = {column.name: column for column in GRAPH_COLUMNS}


def test_a_code_is_the_place_of_the_word():
    assert code_of(("AP", "PA"), "PA", "view") == 1
    with pytest.raises(StudyError, match="use one of AP, PA") as caught:
        code_of(("AP", "PA"), "front", "view")
    assert (caught.value.code, caught.value.where) == ("E_IDX", "view")


@pytest.mark.parametrize("values", [[256, 0], [-1, 0], [0.5, 0]])
def test_a_value_that_does_not_fit(values):
    with pytest.raises(StudyError) as caught:
        exactly(values, COLUMNS["concept_label"], COUNTS)
    assert (caught.value.code, caught.value.where) == ("E_IDX", "concept_label")


def test_a_number_of_values_that_is_not_the_counted_one():
    with pytest.raises(StudyError) as caught:
        exactly([1, 2, 3], COLUMNS["concept_label"], COUNTS)
    assert caught.value.code == "E_SIZE"
    assert exactly([1, 2], COLUMNS["concept_label"], COUNTS).tolist() == [1, 2]
    assert exactly([], COLUMNS["concept_label"], replace(COUNTS, n_concepts=0)).dtype == np.uint8
