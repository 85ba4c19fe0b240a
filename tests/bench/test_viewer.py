"""The viewer's page is what its sources make."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import viewer


def test_the_packaged_page_has_not_drifted_from_its_sources():
    assert viewer.main(["--check"]) == 0, "run: python -m bench.viewer"


def test_every_module_of_the_reader_is_in_the_page():
    page = viewer.TARGET.read_text(encoding="utf-8")
    for module in sorted((viewer.ROOT / "spec" / "reader-js" / "src").rglob("*.js")):
        assert f"const {viewer._name(module)} = (() => {{" in page


def test_drift_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(viewer, "TARGET", tmp_path / "viewer.html")
    assert viewer.main(["--check"]) == 1
    assert viewer.main([]) == 0
    assert viewer.main(["--check"]) == 0
    (tmp_path / "viewer.html").write_text("x")
    assert viewer.main(["--check"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "export default 3;",
        'import x from "./dom.js";',
        'import "./dom.js";',
        "export { a };",
        'export * from "./dom.js";',
    ],
)
def test_forms_that_are_not_understood_are_refused(tmp_path, monkeypatch, line):
    monkeypatch.setattr(viewer, "ROOT", tmp_path)
    module = tmp_path / "a.js"
    module.write_text(f"const a = 1;\n{line}\n")
    with pytest.raises(ValueError, match="not understood"):
        viewer._bundle(module, {})


def test_circles_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(viewer, "ROOT", tmp_path)
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\n')
    with pytest.raises(ValueError, match="circle"):
        viewer._bundle(Path(tmp_path / "a.js"), {})
