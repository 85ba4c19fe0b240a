"""A study in the viewer as a person meets it: in a browser without a screen."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.graph.words import WordAttention
from tests.adapters.viewer.conftest import alone, settled, study
from viewer import assemble

playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev")


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
    page.goto(assemble.TARGET.as_uri())
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
    smallest = assemble.ROOT / "spec" / "vectors" / "valid" / "smallest.ngr"
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
