"""``python -m docs.tools`` writes what is stale, says what is, and changes nothing else."""

from __future__ import annotations

from docs.tools import __main__ as tools
from docs.tools import measurements


def test_made_pages_are_what_they_are_made_of():
    assert tools.main(["--check"]) == 0, "run: python -m docs.tools"


def test_what_is_stale_is_named_and_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    monkeypatch.setattr(measurements, "PAGES", tmp_path)
    page = tmp_path / "a.md"
    monkeypatch.setattr(tools, "texts", lambda: {page: "now\n"})
    assert tools.main(["--check"]) == 1
    assert capsys.readouterr().err == "a.md: missing or stale\n"
    assert tools.main([]) == 0
    assert page.read_text() == "now\n"
    assert tools.main(["--check"]) == 0


def test_a_page_without_results_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    monkeypatch.setattr(measurements, "PAGES", tmp_path)
    (tmp_path / "old.md").write_text("of results that went")
    monkeypatch.setattr(tools, "texts", dict)
    assert tools.main([]) == 1
    assert capsys.readouterr().err == "old.md: not made of any results\n"
