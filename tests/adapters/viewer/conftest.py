"""A browser without a screen, and files to open in it, for the tests of the viewer."""

from __future__ import annotations

import functools
import os
import shutil
from contextlib import contextmanager

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.adapters.viewer import Serving, page_with

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = os.environ.get("NEURALGRAPH_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev")
    if BROWSER is None:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as driver:
        # A container's root has no sandbox of its own to offer; only pages of these tests are opened.
        started = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser):
    """An empty page; what goes wrong in it fails the test."""
    from playwright.sync_api import expect

    context = browser.new_context(viewport={"width": 1200, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert problems == []


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
