"""Searching, films under the grid, and studies side by side, in a browser without a screen."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsers import empty_page, flawless_page
from builders import build_study

import neuralgraph as ng
from neuralgraph.catalogue import Catalogue
from neuralgraph.errors import SourceError
from neuralgraph.rows.columns import TABLES
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS
from tests.adapters.viewer.conftest import drawn, served, settled
from viewer import assemble

expect = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright is in the extra dev").expect
AXE = Path(os.environ.get("NEURALGRAPH_AXE") or assemble.SOURCE / "node_modules" / "axe-core" / "axe.min.js")

WORDS = ("pleural effusion", "left", "right", "lower lobe", "edema", "opacities", "chest tube", "lung", "bibasilar")


def cohort(count=24):
    """Studies of random findings, some with labels, some with reports that a model wrote."""
    random = np.random.default_rng(5)
    studies = []
    for number in range(count):
        made = build_study(seed=number, rows=6, cols=5, patches=4, concepts=5)
        concepts = tuple(
            c._replace(text=str(random.choice(WORDS)), label=str(random.choice(CONCEPT_LABELS))) for c in made.concepts
        )
        pairs = {(int(a), int(b)) for a, b in random.integers(0, 5, (6, 2)) if a != b}
        rows = sorted((a, int(random.integers(len(RELATIONS))), b) for a, b in sorted(pairs))
        triples = np.array(rows, np.int32)
        report = ("given", "given", "given", "generated", "none")[number % 5]
        provenance = {**made.provenance, "report": report}
        labels = {"Edema": float(number % 3 - 1)} if number % 2 else {}
        fields = {"concepts": concepts, "triples": triples.reshape(-1, 3), "labels": labels, "fusion": None}
        studies.append(replace(made, study_id=f"case-{number:02d}", provenance=provenance, **fields))
    return studies


@pytest.fixture
def archive(tmp_path):
    ng.save(cohort(), tmp_path / "cohort.ngr")
    return tmp_path / "cohort.ngr"


def opened(page, path):
    page.goto(assemble.TARGET.as_uri())
    page.set_input_files("#picker", str(path))
    return settled(page)


def search(page, text):
    """Ids that a question finds, and why, once the findings have been read."""
    page.fill("#search", text)
    page.press("#search", "Enter")
    expect(page.locator("#list-note")).to_contain_text(" of 24 studies")
    rows = page.locator(".row")
    return dict(rows.evaluate_all("all => all.map(e => e.title.split('\\n'))"))


@pytest.mark.parametrize("generated", [False, True])
def test_a_search_finds_what_the_catalogue_finds(page, tmp_path, generated):
    pytest.importorskip("duckdb", reason="the extra catalog is not installed")
    unlabelled = [replace(study, labels={}) for study in cohort()]
    ng.save(unlabelled, tmp_path / "plain.ngr")
    page.set_viewport_size({"width": 1200, "height": 2200})
    opened(page, tmp_path / "plain.ngr")
    questions = (
        "effusion", "right effusion", "effusions absent", "opacity uncertain", "no tube", "effusion in lower lobe",
        "bilateral edema any", "left effusion any, no edema", "lung in left", "nothing such", "no tube, no edema",
    )  # fmt: skip
    with ng.open(tmp_path / "plain.ngr") as held:
        tables = {table: held.table(table) for table in TABLES}
    with Catalogue(tables) as catalogue:
        search(page, "edema")
        if generated:
            page.check("#generated")
        for question in questions:
            found = search(page, question)
            assert list(found) == catalogue.find(question, generated=generated), question
            reasons = catalogue.reasons(list(found), question, generated=generated)
            for study_id, why in found.items():
                for reason in reasons[study_id]:
                    assert reason in why, (question, study_id)


def test_labels_and_ids_are_searched_too_and_say_so(page, archive):
    page.set_viewport_size({"width": 1200, "height": 2200})
    opened(page, archive)
    present = search(page, "label:edema")
    assert present
    assert set(present.values()) == {"label Edema: present"}
    assert set(search(page, "label:edema=-1").values()) == {"label Edema: uncertain"}
    assert list(search(page, "id:case-1")) == [f"case-{number}" for number in range(10, 20)]
    assert list(search(page, "case-07")) == ["case-07"]
    assert list(search(page, "id:case-0, label:edema=absent")) == ["case-01", "case-07"]


def test_what_is_not_understood_is_said_and_changes_nothing(page, archive):
    opened(page, archive)
    page.fill("#search", "left right")
    expect(page.locator("#list-note")).to_contain_text("names no finding")
    page.fill("#search", "left right effusion")
    expect(page.locator("#list-note")).to_contain_text("says two things at once")
    assert page.locator(".row").count() > 5


def test_escape_clears_box_and_list_together(page, archive):
    opened(page, archive)
    page.keyboard.press("/")
    page.keyboard.type("case-07")
    expect(page.locator("#list-note")).to_have_text("1 of 24 studies")
    for where in ("#search", "#list"):
        page.focus(where)
        page.keyboard.press("Escape")
        assert page.input_value("#search") == ""
        assert page.inner_text("#list-note") == "24 studies"
        page.fill("#search", "case-07")
        expect(page.locator("#list-note")).to_have_text("1 of 24 studies")
    page.click("#clear")
    assert page.inner_text("#list-note") == "24 studies"


def test_ids_are_told_apart_and_copied(page, tmp_path):
    ids = [f"{'0f' * 30}{number:04x}" for number in range(7, 9)]
    ng.save([build_study(seed=n, study_id=study_id) for n, study_id in enumerate(ids)], tmp_path / "long.ngr")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with served(page, tmp_path / "long.ngr"):
        settled(page)
        shown = page.locator(".row .id").all_inner_texts()
        assert [name[-1] for name in shown] == ["7", "8"]
        fits = "all => all.every(e => e.scrollWidth <= e.clientWidth)"
        assert page.locator(".row .id").evaluate_all(fits)
        assert page.inner_text("#study-id") == ids[0]
        page.keyboard.press("c")
        expect(page.locator("#copied")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == ids[0]


def grey(page):
    """The value in the middle of the film on the page."""
    script = "e => e.getContext('2d').getImageData(e.width / 2, e.height / 2, 1, 1).data[0]"
    return page.locator(".film-picture").first.evaluate(script)


def film(value):
    return np.full((96, 80), value, np.float32)


def test_films_at_hand_go_under_their_studies(browser, archive):
    asked = []

    def films(study_id, view):
        asked.append((study_id, view))
        if study_id == "case-02":
            raise SourceError("the file is damaged", code="E_SOURCE_DAMAGED", where="/secret/patient.dcm")
        return {"case-00": film(0.5), "case-01": film(0.5).T}.get(study_id)

    with flawless_page(browser, refused=True) as page, served(page, archive, films=films):
        settled(page)
        page.wait_for_selector(".film-picture")
        assert grey(page) == 128
        page.keyboard.press("j")
        expect(page.locator("#film-note")).to_contain_text("96 × 80 pixels")
        assert page.locator(".film-picture").count() == 0
        page.keyboard.press("j")
        expect(page.locator("#film-note")).to_contain_text("the file is damaged")
        assert "secret" not in page.inner_text("#film-note")
        page.keyboard.press("j")
        expect(page.locator("#verdict")).to_contain_text("Study 4")
        expect(page.locator("#film-note")).to_have_text("")
    assert asked[:3] == [("case-00", 0), ("case-01", 0), ("case-02", 0)]


def test_window_level_and_inversion(page, archive):
    with served(page, archive, films=lambda study_id, view: film(0.6)):
        page.wait_for_selector(".film-picture")
        assert grey(page) == 153
        page.focus("#film")
        page.keyboard.press("i")
        expect(page.locator("[aria-label=Invert]")).to_have_attribute("aria-pressed", "true")
        assert grey(page) == 102
        page.keyboard.press("i")
        page.keyboard.press("[")
        page.keyboard.press("[")
        expect(page.locator("[aria-label=Window]")).to_have_value("64")
        assert grey(page) == pytest.approx(255 * (0.6 - 0.18) / 0.64, abs=1)
        box = page.locator(".frame").bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(*middle)
        page.mouse.down(button="right")
        page.mouse.move(middle[0], middle[1] + box["height"] / 5, steps=4)
        page.mouse.up(button="right")
        expect(page.locator("[aria-label=Level]")).to_have_value("60")
        page.keyboard.press("0")
        expect(page.locator("[aria-label=Level]")).to_have_value("50")
        assert grey(page) == 153


def test_the_film_is_enlarged_and_moved_with_its_patches(page, archive):
    opened(page, archive)
    inner, patch = page.locator(".inner"), page.locator(".patch").first

    def share():
        """Where a patch is, in shares of the film it lies on."""
        whole, box = inner.bounding_box(), patch.bounding_box()
        return (box["x"] - whole["x"]) / whole["width"], (box["y"] - whole["y"]) / whole["height"]

    before, width, place = share(), inner.bounding_box()["width"], inner.bounding_box()["x"]
    page.focus("#film")
    for _ in range(4):
        page.keyboard.press("z")
    drawn(page)
    assert page.is_visible(".frame.zoomed")
    assert inner.bounding_box()["width"] == pytest.approx(width * 1.25**4, rel=0.01)
    assert share() == pytest.approx(before, abs=0.01)
    page.keyboard.press("Shift+ArrowRight")
    drawn(page)
    moved = inner.bounding_box()
    frame = page.locator(".frame").bounding_box()
    page.mouse.move(frame["x"] + 100, frame["y"] + 100)
    page.mouse.down()
    page.mouse.move(frame["x"] + 130, frame["y"] + 100, steps=4)
    page.mouse.up()
    drawn(page)
    assert inner.bounding_box()["x"] == pytest.approx(moved["x"] + 30, abs=2)
    # What ends a movement chooses nothing.
    assert page.locator(".patch.current").count() == 0
    page.keyboard.press("0")
    drawn(page)
    assert inner.bounding_box()["x"] == pytest.approx(place, abs=1)


def test_two_studies_side_by_side(page, archive):
    opened(page, archive)
    page.keyboard.press("m")
    expect(page.locator("#beside-note")).to_contain_text("choose the study")
    page.keyboard.press("j")
    expect(page.locator("#compare")).to_be_visible()
    assert page.locator(".side .study-id").all_inner_texts() == ["case-00", "case-01"]
    studies = cohort(2)
    kept = [set(zip(s.patches.row.tolist(), s.patches.col.tolist(), strict=True)) for s in studies]
    alone = [page.locator(".side").nth(side).locator(".patch.alone").count() for side in (0, 1)]
    assert alone == [len(kept[0] - kept[1]), len(kept[1] - kept[0])]
    assert f"{len(kept[0] & kept[1])} kept patch" in page.inner_text("#compare-note")
    first = page.locator("#compare-rows tr").first
    assert "differs" in first.inner_text()
    page.keyboard.press("Escape")
    expect(page.locator("#study")).to_be_visible()
    assert not page.is_visible("#compare")


def test_two_archives_side_by_side(page, tmp_path, archive):
    other = [s.prune(top_k=2) for s in cohort()[:3]]
    other[0] = replace(other[0], concepts=(), mentions=(), triples=np.zeros((0, 3), np.int32), fusion=None)
    ng.save(other, tmp_path / "other.ngr")
    with served(page, archive, against=[tmp_path / "other.ngr"]):
        settled(page)
        assert page.locator(".side h3").all_inner_texts() == ["cohort.ngr", "other.ngr"]
        assert "2 kept patches are the same, 2 only on the left, 0 only on the right" in page.inner_text(
            "#compare-note"
        )
        assert page.locator("#compare-rows tr.differs").count() > 2
        page.keyboard.press("End")
        page.locator("#list").focus()
        page.keyboard.press("End")
        expect(page.locator("#beside-note")).to_contain_text("other.ngr holds no study of this id")
        page.keyboard.press("Home")
        page.keyboard.press("m")
        expect(page.locator("#study")).to_be_visible()


def test_a_second_file_is_put_beside_the_first(page, tmp_path, archive):
    ng.save(cohort(1)[0], tmp_path / "one.ngr")
    opened(page, archive)
    page.set_input_files("#other-picker", str(tmp_path / "one.ngr"))
    expect(page.locator("#compare")).to_be_visible()
    (tmp_path / "broken.ngr").write_bytes(b"nothing")
    page.click("#compare-close")
    page.set_input_files("#other-picker", str(tmp_path / "broken.ngr"))
    expect(page.locator("#beside-note")).to_contain_text("cannot be put beside it")


def test_several_files_are_one_list(page, tmp_path):
    studies = cohort(9)
    paths = [tmp_path / name / "part.ngr" for name in "abc"]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        part = studies[4 * number : 4 * number + 4]
        ng.save(part if len(part) > 1 else part[0], path)
    with served(page, paths, title="hospital"):
        assert settled(page).startswith("✓ Study 1 of 9")
        assert page.inner_text("#file-name") == "hospital"
        page.fill("#search", "case-08")
        page.press("#search", "Enter")
        expect(page.locator("#verdict")).to_contain_text("Study 9 of 9 verified")
        assert page.inner_text("#study-id") == "case-08"
        page.keyboard.press("v")
        expect(page.locator("#verdict")).to_contain_text("All 9 studies verified")


def test_a_narrow_window_says_that_the_graph_goes_on(page, archive):
    opened(page, archive)
    page.set_viewport_size({"width": 360, "height": 800})
    expect(page.locator("#graph-scrolls")).to_be_visible()
    page.set_viewport_size({"width": 1100, "height": 800})
    expect(page.locator("#graph-scrolls")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["start", "study", "search", "beside", "help", "failure"])
def test_axe_finds_no_fault(browser, tmp_path, archive, scheme, state):
    """The rules of WCAG 2.2 A and AA and the good practice that axe-core checks."""
    if not AXE.exists():
        pytest.skip(f"no axe-core: npm install --prefix {assemble.SOURCE.name}")
    with empty_page(browser, viewport={"width": 1300, "height": 900}, color_scheme=scheme) as page:
        page.goto(assemble.TARGET.as_uri())
        if state == "failure":
            (tmp_path / "bad.ngr").write_bytes(b"nothing")
            page.set_input_files("#picker", str(tmp_path / "bad.ngr"))
            settled(page)
        elif state != "start":
            opened(page, archive)
            page.locator(".node").first.click()
        if state == "search":
            search(page, "effusion any")
        elif state == "beside":
            page.keyboard.press("m")
            page.keyboard.press("j")
            expect(page.locator("#compare")).to_be_visible()
        elif state == "help":
            page.keyboard.press("?")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        # What a selection fades is meant to be less legible, and the rest of the page says it too.
        found = page.evaluate("axe.run({exclude: ['.faded']}, {rules: {region: {enabled: true}}})")
        faults = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found["violations"]]
    assert faults == []


@pytest.mark.slow
def test_ten_thousand_studies_are_searched_in_a_second(page, tmp_path):
    one = cohort(1)[0]
    ng.save([replace(one, study_id=f"case-{number:05d}") for number in range(10_000)], tmp_path / "many.ngr")
    with served(page, tmp_path / "many.ngr"):
        settled(page)
        page.fill("#search", "effusion any")
        expect(page.locator("#list-note")).to_contain_text(" of 10,000 studies")
        took = page.evaluate(
            """() => {
                const began = performance.now();
                const box = document.getElementById("search");
                box.value = "right effusion any, no tube";
                box.dispatchEvent(new Event("input"));
                return performance.now() - began;
            }"""
        )
    assert took < 1000, took
