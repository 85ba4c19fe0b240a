"""How many patches a share means."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.errors import StudyError
from neuralgraph.graph.retention import kept_patches


@pytest.mark.parametrize(
    ("retain", "cells", "kept"),
    [
        (0.023, 144, 4),
        (0.023, 900, 21),
        (0.05, 900, 45),
        (0.07, 100, 7),
        (0.1, 30, 3),
        (0.29, 100, 29),
        (0.57, 100, 57),
        (1.0, 900, 900),
        (1, 7, 7),
        (1e-9, 900, 1),
        (0.5, 1, 1),
        (0.3, 0, 1),
        (0.001, 1001, 2),
    ],
)
def test_the_share_is_read_as_the_decimal_that_was_written(retain, cells, kept):
    assert kept_patches(retain, cells) == kept


@given(st.floats(1e-6, 1), st.integers(1, 10_000))
def test_the_count_is_the_ceiling_of_the_decimal_product(retain, cells):
    product = Decimal(repr(retain)) * cells
    assert kept_patches(retain, cells) == max(1, int(product.to_integral_value(ROUND_CEILING)))


@pytest.mark.parametrize("retain", [0, -0.1, 1.0000001, 2, nan, inf, -inf])
def test_shares_outside_are_refused(retain):
    with pytest.raises(StudyError) as caught:
        kept_patches(retain, 100)
    assert (caught.value.code, caught.value.where) == ("E_NUM", "retain")
