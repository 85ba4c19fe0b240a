"""The viewer as a person meets it: in a browser without a screen."""

from __future__ import annotations

import functools
import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from bench import viewer
from bench.range_server import range_server
from neuralgraph.adapters.viewer import Serving, page_with
from neuralgraph.graph.words import WordAttention

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev")


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


def settled(page):
    page.wait_for_selector("#verdict.good, #verdict.bad")
    return page.inner_text("#verdict")


def drop(page, path):
    page.set_input_files("#picker", str(path))


def png(width, height):
    """A grey picture."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes(width)) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_a_page_with_a_file_shows_it_without_a_server(page, tmp_path, file):
    alone(page, tmp_path, file)
    assert settled(page).startswith("✓ File verified")
    assert page.inner_text("#file-name") == "one & only.ngr"
    assert "<b>one</b>" in page.inner_text("#facts")
    assert page.locator("#facts b").count() == 0


def test_patches_stand_in_their_boxes(page, tmp_path, file):
    alone(page, tmp_path, file)
    boxes = page.eval_on_selector_all(
        ".patch", "all => all.map(e => ['data-patch', 'x', 'y', 'width', 'height'].map(n => Number(e.getAttribute(n))))"
    )
    patches = study().patches
    expected = [[i, 32 * c, 32 * r, 32, 32] for i, (r, c) in enumerate(zip(patches.row, patches.col, strict=True))]
    assert sorted(boxes) == expected
    # On the screen: the film is as high as it is wide times its proportions, not stretched.
    film = page.locator("#film svg").bounding_box()
    view = page.get_attribute("#film svg", "viewBox")
    assert view == "0 0 160 192"
    heat = page.locator(".heat").bounding_box()
    assert heat["width"] / heat["height"] == pytest.approx(160 / 192, rel=0.01)
    assert film["height"] >= heat["height"] - 1


def test_the_slider_prunes_the_least_attended_first(page, tmp_path, file):
    alone(page, tmp_path, file)
    visible = "all => all.filter(e => e.getBoundingClientRect().width > 0).map(e => Number(e.dataset.patch)).sort()"
    page.focus("#keep")
    for kept in (7, 6, 5):
        page.keyboard.press("ArrowLeft")
        assert page.eval_on_selector_all(".patch", visible) == list(range(kept))
        assert page.inner_text("#keep-note").startswith(f"{kept} of 30")
    page.keyboard.press("Home")
    assert page.eval_on_selector_all(".patch", visible) == [0]
    assert "pruned away" in page.inner_text("#patch-note")


def test_a_concept_lights_up_its_patch_by_keyboard_and_by_mouse(page, tmp_path, file):
    alone(page, tmp_path, file)
    page.locator(".node").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.get_attribute(".patch.lit", "data-patch") == "2"
    assert "joined to patch 3 by the fusion edge" in page.inner_text("#concept-note")
    assert page.locator('.node[aria-pressed="true"]').count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".patch.lit").count() == 0
    page.locator(".node").nth(3).click()
    assert page.get_attribute(".patch.lit", "data-patch") == "2"
    assert "leads over its relations" in page.inner_text("#concept-note")


def test_stored_attention_of_words_is_shown_for_their_concept(page, tmp_path):
    """Two words: the first concept's looks at one cell, the other concept's at another."""
    made = build_study(seed=3, rows=6, cols=5, patches=8, concepts=2, fusion=(0, 0))
    row, col = int(made.patches.row[4]), int(made.patches.col[4])
    attention = np.zeros((2, 30), np.float32)
    attention[0, 5 * row + col], attention[1, 0] = 1, 1
    words = WordAttention.from_maps([c.start for c in made.concepts], [c.end for c in made.concepts], attention)
    ng.save(replace(made, word_attention=words), tmp_path / "words.ngr")
    alone(page, tmp_path, tmp_path / "words.ngr")
    before = page.get_attribute(".heat", "href")
    page.locator(".node").first.click()
    lit = page.eval_on_selector_all(".patch.lit", "all => all.map(e => e.dataset.patch).sort()")
    assert lit == ["0", "4"]
    assert page.get_attribute(".heat", "href") != before
    assert "its words alone" in page.inner_text("#concept-note")
    page.keyboard.press("Escape")
    assert page.get_attribute(".heat", "href") == before


def test_patches_are_reached_by_keyboard(page, tmp_path, file):
    alone(page, tmp_path, file)
    page.focus("#film")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert "Patch 3: row" in page.inner_text("#patch-note")
    assert "by the fusion edge" in page.inner_text("#patch-note")
    assert page.locator('.node[aria-pressed="true"]').get_attribute("data-concept") == "1"


def test_polarity_is_told_by_word_and_shape(page, tmp_path, file):
    alone(page, tmp_path, file)
    shapes = {}
    for word in ("present", "uncertain", "absent"):
        box = page.locator(f".node.{word} .box").first
        shapes[word] = box.get_attribute("rx"), box.evaluate("e => getComputedStyle(e).strokeDasharray")
        assert page.locator(f".node.{word} .word").first.inner_html() == word
    assert len(set(shapes.values())) == 3


def test_a_concept_shows_the_sentences_that_say_it(page, tmp_path):
    text = "FINDINGS: No effusion.\nRight base 🫁 clear.\nADDENDUM: A <b>small</b> effusion is seen. Done."
    first, second = text.index("effusion"), text.rindex("effusion")
    concept = ng.Concept("pleural effusion", "Observation::definitely present", second, second + 8, "addendum")
    mention = ng.Mention(0, "Observation::definitely absent", first, first + 8, "findings")
    made = replace(build_study(seed=3, rows=6, cols=5, patches=8, concepts=0), concepts=(concept,), mentions=(mention,))
    for stored, sentences in (
        (text, [": “ADDENDUM: A <b>small</b> effusion is seen.”", ": “FINDINGS: No effusion.”"]),
        (None, ["", ""]),
    ):
        ng.save(replace(made, report=stored), tmp_path / "said.ngr")
        alone(page, tmp_path, tmp_path / "said.ngr")
        assert page.locator("#concept-sentences li").count() == 0
        page.locator(".node").first.click()
        said = page.locator("#concept-sentences li").all_inner_texts()
        assert said == [f"+ present in addendum{sentences[0]}", f"− absent in findings{sentences[1]}"]


def test_a_film_goes_under_the_grid_when_its_proportions_fit(page, tmp_path, file):
    alone(page, tmp_path, file)
    (tmp_path / "film.png").write_bytes(png(80, 96))
    (tmp_path / "other.png").write_bytes(png(96, 80))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    drop(page, tmp_path / "other.png")
    playwright.expect(page.locator("#film-note")).to_contain_text("96")
    assert page.locator(".film-picture").count() == 0
    drop(page, tmp_path / "broken.png")
    playwright.expect(page.locator("#film-note")).to_contain_text("not a picture")
    drop(page, tmp_path / "film.png")
    page.wait_for_selector(".film-picture")
    assert "cannot know" in page.inner_text("#film-note")


def test_a_study_and_its_film_may_come_together(page, tmp_path, file):
    (tmp_path / "film.png").write_bytes(png(80, 96))
    page.goto(viewer.TARGET.as_uri())
    page.set_input_files("#picker", [str(tmp_path / "film.png"), str(file)])
    page.wait_for_selector(".film-picture")
    assert page.inner_text("#verdict").startswith("✓")


def test_what_nobody_may_overlook_stands_above_the_film(page, tmp_path):
    made = build_study(provenance={"model": {"trained": False}, "films": [{"format": "phantom"}]})
    demo = build_study(seed=2, study_id="c", provenance={"model": {"name": "demo", "trained": True}})
    written = build_study(seed=3, study_id="d", provenance={"report": "generated"})
    ng.save([made, build_study(seed=1, study_id="b", provenance={}), demo, written], tmp_path / "three.ngr")
    alone(page, tmp_path, tmp_path / "three.ngr")
    assert "SYNTHETIC: not a patient" in page.inner_text("#notice")
    assert "UNTRAINED" in page.inner_text("#notice")
    page.keyboard.press("j")
    playwright.expect(page.locator("#verdict")).to_contain_text("Study 2")
    assert not page.is_visible("#notice")
    page.keyboard.press("j")
    playwright.expect(page.locator("#notice")).to_contain_text("no diagnostic device")
    page.keyboard.press("j")
    playwright.expect(page.locator("#notice")).to_contain_text("WRITTEN BY THE MODEL")


def test_a_study_without_a_film_has_no_slider(page, tmp_path):
    smallest = viewer.ROOT / "spec" / "vectors" / "valid" / "smallest.ngr"
    alone(page, tmp_path, smallest)
    assert "no film" in page.inner_text("#film")
    assert not page.is_visible("#keep")
    assert not page.is_visible("#scale")


def test_lit_patches_stand_out_from_the_brightest_cell(page, tmp_path, file):
    """The brightest cell is yellow: what is lit must not be."""
    alone(page, tmp_path, file)
    page.locator(".node").nth(1).click()
    stroke = page.eval_on_selector(".patch.lit", "e => getComputedStyle(e).stroke")
    red, green, blue = (int(part) for part in stroke.removeprefix("rgb(").removesuffix(")").split(","))
    assert green < 100 < min(red, blue + 1), stroke
    assert page.eval_on_selector(".halo.lit", "e => getComputedStyle(e).stroke") == "rgb(255, 255, 255)"


def test_an_address_is_opened_by_typing_it(page, archive):
    with range_server() as server:
        server.files = {"viewer.html": viewer.TARGET.read_bytes(), "many.ngr": archive.read_bytes()}
        page.goto(server.url("viewer.html"))
        page.fill("#address", server.url("many.ngr"))
        page.press("#address", "Enter")
        assert settled(page).startswith("✓ Study 1 of 40")
        assert page.inner_text("#file-name") == "many.ngr"
        assert all(asked.startswith("bytes=") for path, asked in server.ranges if path == "/many.ngr")


@pytest.mark.parametrize("query", ["?file=%25E0", "?file=http://[", "?file="])
def test_an_address_that_cannot_be_read_is_an_error_never_a_blank_page(browser, query):
    # Not the fixture: browsers themselves log an address that does not answer.
    with range_server() as server:
        server.files = {"viewer.html": viewer.TARGET.read_bytes()}
        page = browser.new_context().new_page()
        page.goto(server.url(f"viewer.html{query}"))
        settled(page)
        assert page.is_visible("#failure")
        assert page.inner_text("#failure code") in ("E_OPEN", "E_MAGIC", "E_TRUNCATED")
        page.context.close()


def test_a_server_that_does_not_answer_is_explained(browser):
    page = browser.new_context().new_page()
    page.goto(viewer.TARGET.as_uri())
    page.fill("#address", "http://127.0.0.1:9/a.ngr")
    page.press("#address", "Enter")
    settled(page)
    assert "the server cannot be reached" in page.inner_text("#failure")
    page.context.close()


def test_dropping_a_file(page, file):
    page.goto(viewer.TARGET.as_uri())
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


def test_one_damaged_study_of_an_archive_leaves_the_others_readable(page, archive):
    data = bytearray(archive.read_bytes())
    # The first record begins behind the prologue; its end is inside its last stream.
    data[32 + int.from_bytes(data[40:44], "little") - 40] ^= 255
    archive.write_bytes(data)
    with Serving(archive) as serving:
        page.goto(serving.url)
        settled(page)
        page.click("#check")
        page.wait_for_selector("#problems:not([hidden])")
        playwright.expect(page.locator("#problems-body button")).to_have_count(1)
        playwright.expect(page.locator(".row.bad")).to_have_count(1)
        page.click("#problems-body button")
        page.wait_for_selector("#failure:not([hidden])")
        page.locator(".row:not(.bad)").last.click()
        page.wait_for_selector("#verdict.good")
        playwright.expect(page.locator("#study")).to_be_visible()


def test_an_archive_is_searched_walked_and_checked(page, archive):
    with Serving(archive) as serving:
        page.goto(serving.url)
        assert settled(page).startswith("✓ Study 1 of 40")
        page.keyboard.press("j")
        playwright.expect(page.locator("#verdict")).to_contain_text("Study 2 of 40")
        page.keyboard.press("/")
        page.keyboard.type("study-39")
        assert page.inner_text("#list-note") == "1 of 40 studies"
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
    with Serving(big) as serving:
        page.on(
            "response", lambda r: asked.append(r.headers.get("content-range")) if ".ngr" in r.url.split("?")[0] else 0
        )
        page.goto(serving.url)
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
    with Serving(archive) as serving:
        page.goto(serving.url)
        settled(page)
        took = page.evaluate("performance.now()")
        assert page.locator(".row").count() < 100
        assert "10,000 studies" in page.inner_text("#list-note")
    assert took < 5000, took


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_fits_the_window_in_light_and_dark(browser, tmp_path, file, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    alone(page, tmp_path, file)
    assert page.get_attribute("html", "data-theme") == scheme
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") != scheme
    assert contrast(page, "#verdict", "header") >= 4.5
    assert contrast(page, "#film-title", "#film-panel") >= 4.5
    assert contrast(page, "#facts dt", "#facts") >= 4.5
    context.close()


def contrast(page, text, ground):
    """Contrast of WCAG 2 between the colour of a text and the ground behind it."""

    def luminance(selector, property):
        colour = page.eval_on_selector(selector, f"e => getComputedStyle(e).{property}")
        channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(text, "color"), luminance(ground, "backgroundColor")), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_everything_that_can_be_operated_has_a_name(page, tmp_path, file):
    alone(page, tmp_path, file)
    nameless = page.eval_on_selector_all(
        "button, [role=button], input:not([hidden])",
        """all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels ?? []).length))
            .map(e => e.outerHTML.slice(0, 90))""",
    )
    assert nameless == []


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
    assert Path(viewer.TARGET).name == "viewer.html"
