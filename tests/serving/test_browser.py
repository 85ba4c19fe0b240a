"""The page of a collection in a browser: list, search, next and previous, keyboard, token."""

from __future__ import annotations

import pytest
from browsers import flawless_page

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev")
TOKEN = "correct horse battery"


@pytest.fixture
def page(browser):
    with flawless_page(browser, refused=True) as page:
        yield page


def test_studies_are_listed_searched_and_stepped_through(page, served):
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


def test_further_studies_are_asked_for_once_and_a_failure_is_said(page, served):
    page.route("**/studies?*", lambda route: route.continue_(url=route.request.url.replace("limit=200", "limit=2")))
    page.goto(served())
    said, rows = page.locator("#said"), page.locator("#list li")
    playwright.expect(said).to_have_text("1 of 6")
    playwright.expect(rows).to_have_count(2)
    page.keyboard.press("j")
    page.evaluate("for (let n = 0; n < 3; n++) document.dispatchEvent(new KeyboardEvent('keydown', { key: 'j' }))")
    playwright.expect(said).to_have_text("3 of 6")
    playwright.expect(rows).to_have_count(4)
    page.keyboard.press("j")
    playwright.expect(said).to_have_text("4 of 6")
    page.unroute("**/studies?*")
    page.route("**/studies?*", lambda route: route.fulfill(status=503, json={"message": "the store is away"}))
    page.keyboard.press("j")
    playwright.expect(said).to_have_text("the store is away")
    page.unroute("**/studies?*")
    page.keyboard.press("j")
    playwright.expect(said).to_have_text("5 of 6")


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
