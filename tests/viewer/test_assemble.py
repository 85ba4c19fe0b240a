"""The viewer's page is what its sources make."""

from __future__ import annotations

from pathlib import Path

import pytest

from viewer import assemble


def test_the_packaged_page_has_not_drifted_from_its_sources():
    assert assemble.main(["--check"]) == 0, "run: python -m viewer.assemble"


def test_every_module_of_the_reader_is_in_the_page():
    page = assemble.TARGET.read_text(encoding="utf-8")
    for module in sorted((assemble.ROOT / "spec" / "reader-js" / "src").rglob("*.js")):
        assert f"const {assemble.variable_of(module)} = (() => {{" in page


def test_drift_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "TARGET", tmp_path / "viewer.html")
    assert assemble.main(["--check"]) == 1
    assert assemble.main([]) == 0
    assert assemble.main(["--check"]) == 0
    (tmp_path / "viewer.html").write_text("x")
    assert assemble.main(["--check"]) == 1


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
    monkeypatch.setattr(assemble, "ROOT", tmp_path)
    module = tmp_path / "a.js"
    module.write_text(f"const a = 1;\n{line}\n")
    with pytest.raises(ValueError, match="not understood"):
        assemble.bundle(module, {})


def test_circles_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(assemble, "ROOT", tmp_path)
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\n')
    with pytest.raises(ValueError, match="circle"):
        assemble.bundle(Path(tmp_path / "a.js"), {})
