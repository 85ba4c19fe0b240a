from __future__ import annotations

import math

from bench.rounding import rounded


def test_floats_are_rounded_wherever_they_stand():
    assert rounded({"a": [1.234567, (2, True)], "b": "1.234567"}) == {"a": [1.2346, [2, True]], "b": "1.234567"}
    assert rounded(1.234567, digits=3) == 1.23


def test_what_is_not_finite_is_none():
    assert rounded([math.nan, math.inf, 0.0]) == [None, None, 0.0]
