"""Documents say what the results say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.documents import FRONT_PAGE, PAGES, RESULTS, chapters, front_page, pages
from bench.documents.tables import table


def test_pages_are_what_the_results_give():
    here = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    assert here == pages(), "run: python -m bench.documents"
    assert FRONT_PAGE.read_text(encoding="utf-8") == front_page(), "run: python -m bench.documents"


@pytest.mark.parametrize("name", chapters())
def test_every_chapter_has_its_results(name):
    assert json.loads((RESULTS / chapters()[name].RESULTS).read_text(encoding="utf-8"))


def test_table():
    assert table(["a", "b"], [["x", 1234], ["y", 0.25]]) == "| a | b |\n| --- | --- |\n| x | 1,234 |\n| y | 0.25 |"


def test_readme_and_ci_run_the_same_tests():
    root = Path(__file__).parents[2]
    command = next(line for line in (root / "README.md").read_text().splitlines() if line.endswith("-m pytest"))
    assert command in (root / ".ci" / "run").read_text().splitlines()
