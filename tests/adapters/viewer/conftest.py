"""Pages to look at, and files to open in them, for the tests of the viewer."""

from __future__ import annotations

import functools
from contextlib import contextmanager

import pytest
from browsers import flawless_page
from builders import build_study

import neuralgraph as ng
from neuralgraph.adapters.viewer import Serving, page_with


@pytest.fixture
def page(browser):
    with flawless_page(browser) as page:
        yield page


@functools.cache
def study():
    return build_study(seed=3, rows=6, cols=5, patches=8, concepts=4, fusion=(2, 1), study_id="<b>one</b>")


@pytest.fixture
def file(tmp_path):
    ng.save(study(), tmp_path / "one & only.ngr")
    return tmp_path / "one & only.ngr"


@pytest.fixture
def archive(tmp_path):
    ng.save([build_study(seed=i, study_id=f"study-{i}") for i in range(40)], tmp_path / "many.ngr")
    return tmp_path / "many.ngr"


def alone(page, tmp_path, file):
    """Open a page that holds the file, from a file: no server, no network."""
    target = tmp_path / "page.html"
    target.write_text(page_with(file), encoding="utf-8")
    page.goto(target.as_uri())
    settled(page)


@contextmanager
def served(page, *given, **options):
    """Open what ``ngr view`` serves. The page goes before the server does: what it still asks for is no error of it."""
    with Serving(*given, **options) as serving:
        page.goto(serving.url)
        yield
        page.goto("about:blank")


def settled(page):
    page.wait_for_selector("#verdict.good, #verdict.bad")
    return page.inner_text("#verdict")


def drawn(page):
    """Wait until what was asked for so far has been drawn: the page draws once a frame."""
    page.evaluate("new Promise(resolve => requestAnimationFrame(resolve))")
