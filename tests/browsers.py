"""A browser without a screen, and empty pages in it, for the tests of what people look at."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = os.environ.get("NEURALGRAPH_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
# In milliseconds: longer than a busy machine takes.
PATIENCE = 60_000


@contextmanager
def started_browser():
    """The browser of this machine; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev")
    if BROWSER is None:
        pytest.skip(f"no browser: install one of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as driver:
        # A container's root has no sandbox of its own to offer; only pages of these tests are opened.
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        playwright.expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@contextmanager
def empty_page(browser, **options):
    """A page in a window of its own."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 800}, **options})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


@contextmanager
def flawless_page(browser, *, refused=False):
    """An empty page; what goes wrong in it fails the test, but for answers that say an error where those are meant."""
    problems = []

    def log(message):
        # Browsers themselves log every such answer.
        if message.type == "error" and not (refused and message.text.startswith("Failed to load resource")):
            problems.append(message.text)

    with empty_page(browser) as page:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", log)
        yield page
    assert problems == []
