"""HTML as reports have it, to plain text."""

from __future__ import annotations

import pytest

from neuralgraph.sources.documents.markup import plain_text


@pytest.mark.parametrize("text", ["Pressure < 5 and L>R.", "a <unknown> b", "no tags & none"])
def test_what_is_no_markup_stays(text):
    assert plain_text(text) == text


def test_blocks_end_lines_and_cells_are_parted():
    assert plain_text("<p>FINDINGS</p><ul><li>one<li>two</ul>") == "FINDINGS\n- one\n- two"
    assert plain_text("<table><tr><td>side</td><td>left</td></tr></table>") == "side\tleft"
    assert plain_text("a<br>b<br/><br/><br/>c") == "a\nb\n\nc"


def test_entities_become_what_they_stand_for():
    assert plain_text("5&nbsp;&lt;&#32;6 &amp; more") == "5 < 6 & more"
    assert plain_text("<b>a&nbsp;&nbsp;b</b>") == "a b"


def test_what_no_browser_shows_is_left_out():
    assert plain_text("<html><head><title>X</title></head><style>p {}</style><body>clear</body></html>") == "clear"
    assert plain_text("<meta charset=utf-8><div>clear</div>") == "clear"
