"""The page of a collection in a browser: list, search, next and previous, keyboard, token."""

from __future__ import annotations

import os
import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = os.environ.get("NEURALGRAPH_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"no browser: install one of {', '.join(BROWSERS)}")
TOKEN = "correct horse battery"


@pytest.fixture
def page():
    with playwright.sync_playwright() as driver:
        # A container's root has no sandbox of its own to offer; only pages of these tests are opened.
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        opened = browser.new_context(viewport={"width": 1200, "height": 800}).new_page()
        opened.set_default_timeout(60_000)
        playwright.expect.set_options(timeout=60_000)
        yield opened
        browser.close()


def test_studies_are_listed_searched_and_stepped_through(page, served):
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(served())
    said = page.locator("#said")
    playwright.expect(said).to_have_text("1 of 6")
    verdict = page.frame_locator("#view").locator("#verdict")
    playwright.expect(verdict).to_contain_text("verified")
    page.locator("#next").click()
    playwright.expect(said).to_have_text("2 of 6")
    page.keyboard.press("j")
    playwright.expect(said).to_have_text("3 of 6")
    page.keyboard.press("k")
    playwright.expect(said).to_have_text("2 of 6")
    playwright.expect(verdict).to_contain_text("verified")
    page.keyboard.press("/")
    page.keyboard.type("nothing of the kind")
    page.keyboard.press("Enter")
    playwright.expect(said).to_have_text("0 studies")
    assert problems == []


def test_a_token_opens_the_page(page, served):
    from neuralgraph.serving import Tokens

    page.goto(served(Tokens([TOKEN])))
    page.locator("#token").fill("wrong wrong wrong wrong")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#said")).to_have_text("this token is not known")
    page.locator("#token").fill(TOKEN)
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#said")).to_have_text("1 of 6")
    playwright.expect(page.frame_locator("#view").locator("#verdict")).to_contain_text("verified")
