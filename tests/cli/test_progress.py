"""Long verbs say how far they are: on a terminal with a bar, else with a line every few seconds."""

import re
import sys
import time

import pytest

from neuralgraph.cli.progress import duration, meter


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (165, "2 min 45 s"),
        (3600, "1 h"),
        (12000, "3 h 20 min"),
        (86400, "1 day"),
        (183600, "2 days 3 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_without_a_terminal_a_plain_line_every_few_seconds(capsys):
    with meter("convert", 500, every=0.05) as show:
        for _ in range(30):
            show()
            time.sleep(0.01)
        show(10, failed=2, text="busy")
        time.sleep(0.12)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 4
    assert re.fullmatch(r"ngr: convert: \d+ of 500 studies, \d+\.\d/s, (\d+ min )?\d+ s left", lines[0])
    assert re.match(r"ngr: convert: 40 of 500 studies, 2 failed, .* left, busy$", lines[-1])
    assert "\x1b" not in "".join(lines)
    time.sleep(0.12)
    assert capsys.readouterr().err == ""


def test_nothing_is_said_of_what_is_done_at_once(capsys):
    with meter("validate", 3) as show:
        show(3)
    assert capsys.readouterr().err == ""


def test_a_run_that_hangs_does_not_look_like_one_that_works(capsys, monkeypatch):
    monkeypatch.setattr("neuralgraph.cli.progress._QUIET", 0.1)
    with meter("pull", unit="objects", every=0.05) as show:
        show()
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert "nothing new" not in lines[0]
    assert re.fullmatch(r"ngr: pull: 1 objects, nothing new for \d+ s|.*nothing new for \d+ s", lines[-1])


def test_parts_of_the_work_are_counted_anew(capsys):
    with meter("train", unit="films and steps", every=0.05) as show:
        show.at(3, 8, "preparing films")
        time.sleep(0.07)
        show.at(1, 200, "loss 2.5")
        time.sleep(0.07)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("ngr: train: 3 of 8 films and steps")
    assert lines[0].endswith("preparing films")
    assert lines[-1].startswith("ngr: train: 1 of 200 films and steps")


def test_a_part_of_as_many_begins_where_fewer_are_done(capsys):
    with meter("train", unit="films and steps", every=0.05) as show:
        show.at(4, 4, "preparing films")
        time.sleep(0.07)
        show.at(1, 4)
        time.sleep(0.12)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("ngr: train: 1 of 4 films and steps")
    assert "-" not in last
    assert "preparing" not in last


def test_a_bar_where_there_is_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with meter("convert", 4) as show:
        show(2, failed=1)
        show.at(3, 4, "almost")
        show.at(1, 9)
    assert "convert" in capsys.readouterr().err
