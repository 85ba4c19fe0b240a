"""The documentation builds without a warning, and its pages fetch nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="the documentation needs the extra docs")
pytest.importorskip("material", reason="the documentation needs the extra docs")
pytest.importorskip("mkdocstrings", reason="the documentation needs the extra docs")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    target = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return target


class _Fetched(HTMLParser):
    """Addresses that a browser fetches by itself when it shows the page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("script", "img", "iframe", "source", "video", "audio", "embed", "use"):
            self.found.append(given.get("src") or given.get("href") or "")
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.found.append(given.get("href") or "")


def test_pages_fetch_nothing_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        parser = _Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        strange = [address for address in parser.found if re.match(r"(https?:)?//", address)]
        assert strange == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*[\"']?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_what_must_be_there(site):
    assert "[F24]" in (site / "format" / "index.html").read_text(encoding="utf-8")
    for page, names in {
        "python": ("neuralgraph.open", "neuralgraph.Study.prune", "neuralgraph.errors.SourceError"),
        "adapters": ("neuralgraph.adapters.pyg.to_data", "neuralgraph.adapters.picture.draw_study"),
        "making": ("neuralgraph.compressor.Compressor", "neuralgraph.sources.read_film"),
    }.items():
        reference = (site / "reference" / page / "index.html").read_text(encoding="utf-8")
        for name in names:
            assert f'id="{name}"' in reference
        # What a parser of another style makes of our docstrings.
        assert " – </li>" not in reference
    errors = (site / "reference" / "errors" / "index.html").read_text(encoding="utf-8")
    assert "E_ATTENTION" in errors
    assert "E_EXTRA" in errors
    verbs = (site / "reference" / "command-line" / "index.html").read_text(encoding="utf-8")
    assert "ngr view study.ngr" in verbs
    assert "<td>sum, contrast, findings, gradient</td>" in verbs
    assert "<td><code>bfloat16</code></td>" in verbs
    viewer = ROOT / "neuralgraph" / "adapters" / "viewer" / "viewer.html"
    assert (site / "viewer.html").read_bytes() == viewer.read_bytes()
    for name in ("store", "zstd", "int8"):
        assert (site / "codecs" / name / "index.html").exists()


def test_everything_public_is_in_the_reference(site):
    import neuralgraph

    reference = (site / "reference" / "python" / "index.html").read_text(encoding="utf-8")
    for name in set(neuralgraph.__all__) - {"__version__"}:
        home = "neuralgraph.errors" if name.endswith("Error") or name == "Problem" else "neuralgraph"
        assert f'id="{home}.{name}"' in reference, name


def test_every_chapter_of_the_measurements_is_a_page(site):
    for chapter in (ROOT / "docs" / "measurements").glob("*.md"):
        folder = site / "measurements" / ("" if chapter.stem == "index" else chapter.stem)
        assert (folder / "index.html").exists(), chapter
