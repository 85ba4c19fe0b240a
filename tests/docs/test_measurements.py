"""Every page of the measurements has its results."""

from __future__ import annotations

import json

import pytest

from docs.tools.measurements import RESULTS, chapters


@pytest.mark.parametrize("name", chapters())
def test_every_chapter_has_its_results(name):
    assert json.loads((RESULTS / chapters()[name].RESULTS).read_text(encoding="utf-8"))
