"""``python -m spec.tools`` writes what is missing or follows, and never changes a vector."""

from __future__ import annotations

import pytest

from spec.tools import __main__ as tools


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder where two vectors and a table belong."""
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    monkeypatch.setattr(tools, "VECTORS", tmp_path / "vectors")
    fixed = {tmp_path / "vectors" / "valid" / name: name.encode() for name in ("a.ngr", "b.ngr")}
    monkeypatch.setattr(tools, "made", lambda: (fixed, {tmp_path / "vectors" / "index.json": b"{}"}))
    (tmp_path / "vectors").mkdir()
    (tmp_path / "vectors" / "README.md").write_text("by hand")
    return tmp_path / "vectors"


def test_what_is_missing_or_follows_is_written(place, capsys):
    assert tools.main(["--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"vectors/{name}: missing or stale" for name in ("valid/a.ngr", "valid/b.ngr", "index.json")
    ]
    assert list(place.iterdir()) == [place / "README.md"]
    assert tools.main([]) == 0
    (place / "index.json").write_bytes(b"of before")
    assert tools.main([]) == 0
    assert (place / "index.json").read_bytes() == b"{}"
    assert tools.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("name", "what"), [("valid/a.ngr", "exists with other bytes"), ("valid/c.ngr", "not made by this command")]
)
def test_nothing_is_written_beside_a_vector_that_differs(place, capsys, name, what):
    (place / "valid").mkdir()
    (place / name).write_bytes(b"older")
    assert tools.main([]) == 1
    assert f"vectors/{name}: {what}" in capsys.readouterr().err
    assert (place / name).read_bytes() == b"older"
    assert not (place / "index.json").exists()
