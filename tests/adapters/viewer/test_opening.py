"""How files come into the viewer: typed, dropped, damaged, large; and that it asks nobody else for anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browsers import flawless_page
from builders import build_study

import neuralgraph as ng
from bench.range_server import range_server
from neuralgraph.adapters.viewer import page_with
from tests.adapters.viewer.conftest import alone, served, settled
from viewer import assemble

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev")


def test_an_address_is_opened_by_typing_it(page, archive):
    with range_server() as server:
        server.files = {"viewer.html": assemble.TARGET.read_bytes(), "many.ngr": archive.read_bytes()}
        page.goto(server.url("viewer.html"))
        page.fill("#address", server.url("many.ngr"))
        page.press("#address", "Enter")
        assert settled(page).startswith("✓ Study 1 of 40")
        assert page.inner_text("#file-name") == "many.ngr"
        page.goto("about:blank")
        assert all(asked.startswith("bytes=") for path, asked in server.ranges if path == "/many.ngr")


@pytest.mark.parametrize("query", ["?file=%25E0", "?file=http://[", "?file="])
def test_an_address_that_cannot_be_read_is_an_error_never_a_blank_page(browser, query):
    with range_server() as server, flawless_page(browser, refused=True) as page:
        server.files = {"viewer.html": assemble.TARGET.read_bytes()}
        page.goto(server.url(f"viewer.html{query}"))
        settled(page)
        assert page.is_visible("#failure")
        assert page.inner_text("#failure code") in ("E_OPEN", "E_MAGIC", "E_TRUNCATED")


def test_a_server_that_does_not_answer_is_explained(browser):
    with flawless_page(browser, refused=True) as page:
        page.goto(assemble.TARGET.as_uri())
        page.fill("#address", "http://127.0.0.1:9/a.ngr")
        page.press("#address", "Enter")
        settled(page)
        assert "the server cannot be reached" in page.inner_text("#failure")


def test_dropping_a_file(page, file):
    page.goto(assemble.TARGET.as_uri())
    assert page.is_visible("#start")
    data = list(file.read_bytes())
    page.evaluate(
        """data => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(data)], "dropped.ngr"));
            window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
        }""",
        data,
    )
    assert settled(page).startswith("✓")
    assert page.inner_text("#file-name") == "dropped.ngr"


@pytest.mark.parametrize("damage", ["flipped", "cut", "another kind", "empty"])
def test_a_damaged_file_shows_its_error_never_a_blank_page(page, tmp_path, file, damage):
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    given = {"flipped": bytes(data), "cut": data[: len(data) // 2], "another kind": b"%PDF" * 99, "empty": b""}[damage]
    bad = tmp_path / "bad.ngr"
    bad.write_bytes(given)
    (problem, *_) = ng.validate(bad).problems
    alone(page, tmp_path, bad)
    assert page.is_visible("#failure")
    assert not page.is_visible("#study")
    assert page.inner_text("#failure code") == problem.code
    assert problem.code in page.inner_text("#verdict")


def damage_the_first_study(archive):
    data = bytearray(archive.read_bytes())
    # The first record begins behind the prologue; its end is inside its last stream.
    data[32 + int.from_bytes(data[40:44], "little") - 40] ^= 255
    archive.write_bytes(data)


def test_one_damaged_study_of_an_archive_leaves_the_others_readable(page, archive):
    damage_the_first_study(archive)
    with served(page, archive):
        settled(page)
        page.click("#check")
        page.wait_for_selector("#problems:not([hidden])")
        playwright.expect(page.locator("#problems-body button")).to_have_count(1)
        playwright.expect(page.locator(".row.bad")).to_have_count(1)
        # Its name stays within its row.
        row, name = page.locator(".row.bad").bounding_box(), page.locator(".row.bad .id").bounding_box()
        assert name["y"] + name["height"] <= row["y"] + row["height"]
        page.click("#problems-body button")
        page.wait_for_selector("#failure:not([hidden])")
        page.locator(".row:not(.bad)").last.click()
        page.wait_for_selector("#verdict.good")
        playwright.expect(page.locator("#study")).to_be_visible()


def test_a_click_outlives_the_rows_being_drawn_again(page, archive):
    """The button goes down, the list marks a damaged study and scrolls, the button comes up."""
    damage_the_first_study(archive)
    with served(page, archive):
        settled(page)
        row = page.locator("#study-3")
        place = row.bounding_box()
        row.hover()
        page.mouse.down()
        page.keyboard.press("v")
        page.wait_for_selector("#problems:not([hidden])")
        page.evaluate("document.getElementById('list').dispatchEvent(new Event('scroll'))")
        assert row.bounding_box() == place
        page.mouse.up()
        playwright.expect(page.locator("#verdict")).to_contain_text("Study 4 of 40 verified")
        playwright.expect(row).to_have_attribute("aria-selected", "true")


def test_an_archive_is_searched_walked_and_checked(page, archive):
    with served(page, archive):
        assert settled(page).startswith("✓ Study 1 of 40")
        page.keyboard.press("j")
        playwright.expect(page.locator("#verdict")).to_contain_text("Study 2 of 40")
        page.keyboard.press("/")
        page.keyboard.type("study-39")
        playwright.expect(page.locator("#list-note")).to_have_text("1 of 40 studies")
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#verdict")).to_contain_text("Study 40 of 40")
        page.keyboard.press("v")
        playwright.expect(page.locator("#verdict")).to_contain_text("All 40 studies verified")


def test_large_archives_are_read_in_pieces(page, tmp_path):
    """Framing, index and one study are read; the other records are not."""
    big = tmp_path / "big.ngr"
    ng.save(
        [build_study(seed=1, dim=4096, patches=30, form="float16", study_id=f"s{i}") for i in range(12)],
        big,
        embedding="float16",
    )
    asked = []
    page.on("response", lambda r: asked.append(r.headers.get("content-range")) if ".ngr" in r.url.split("?")[0] else 0)
    with served(page, big):
        assert settled(page).startswith("✓ Study 1 of 12")
    spans = [tuple(map(int, span.removeprefix("bytes ").split("/")[0].split("-"))) for span in asked if span]
    assert sum(last + 1 - first for first, last in spans) < big.stat().st_size / 2


@pytest.mark.slow
def test_an_archive_of_ten_thousand_studies_opens_at_once(page, tmp_path):
    archive = tmp_path / "archive.ngr"
    tiny = [
        build_study(seed=i, rows=2, cols=2, patches=1, concepts=0, study_id=f"study-{i:05d}") for i in range(10_000)
    ]
    ng.save(tiny, archive, embedding="float32")
    with served(page, archive):
        settled(page)
        took = page.evaluate("performance.now()")
        assert page.locator(".row").count() < 100
        assert "10,000 studies" in page.inner_text("#list-note")
    assert took < 5000, took


def test_the_page_calls_nobody(page, tmp_path, file):
    called = []
    page.on("request", lambda request: called.append(request.url))
    alone(page, tmp_path, file)
    assert [url for url in called if not url.startswith(("file:", "data:", "blob:"))] == []
    # Another script would not run: the policy names the hash of the one there is.
    page_text = page_with(file)
    assert "connect-src 'none';" in page_text
    assert "script-src 'sha256-" in page_text
    assert json.dumps("unsafe-inline") not in page_text
    assert Path(assemble.TARGET).name == "viewer.html"
