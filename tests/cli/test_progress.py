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


@pytest.fixture
def told(capsys):
    """Waits for a line that holds a text; gives the lines since the last time."""

    def wait_for(text):
        said, until = "", time.monotonic() + 60
        while text not in said:
            assert time.monotonic() < until, said
            time.sleep(0.01)
            said += capsys.readouterr().err
        return said.splitlines()

    return wait_for


def test_without_a_terminal_a_plain_line_every_few_seconds(capsys, told):
    with meter("convert", 500, every=0.05) as show:
        lines = []
        for done in range(1, 31):
            show()
            if done % 10 == 0:
                lines += told(f" {done} of 500 studies, ")
        show(10, failed=2, text="busy")
        lines += told("busy")
    assert len(lines) >= 4
    assert re.fullmatch(r"ngr: convert: \d+ of 500 studies, (\d+\.\d|\d{3})/s, (\d+ min )?\d+ s left", lines[-2])
    assert re.match(r"ngr: convert: 40 of 500 studies, 2 failed, .* left, busy$", lines[-1])
    assert "\x1b" not in "".join(lines)
    capsys.readouterr()
    time.sleep(0.12)
    assert capsys.readouterr().err == ""


def test_nothing_is_said_of_what_is_done_at_once(capsys):
    with meter("validate", 3) as show:
        show(3)
    assert capsys.readouterr().err == ""


def test_a_run_that_hangs_does_not_look_like_one_that_works(told, monkeypatch):
    with meter("pull", unit="objects", every=0.05) as show:
        show()
        assert "nothing new" not in told("1 objects")[0]
        monkeypatch.setattr("neuralgraph.cli.progress._QUIET", 0.1)
        lines = told("nothing new")
    assert re.fullmatch(r"ngr: pull: 1 objects, nothing new for \d+ s|.*nothing new for \d+ s", lines[-1])


def test_parts_of_the_work_are_counted_anew(told):
    with meter("train", unit="films and steps", every=0.05) as show:
        show.at(3, 8, "preparing films")
        lines = told("preparing films")
        show.at(1, 200, "loss 2.5")
        lines += told("loss 2.5")
    assert lines[0].startswith("ngr: train: 3 of 8 films and steps")
    assert lines[0].endswith("preparing films")
    assert lines[-1].startswith("ngr: train: 1 of 200 films and steps")


def test_a_part_of_as_many_begins_where_fewer_are_done(told):
    with meter("train", unit="films and steps", every=0.05) as show:
        show.at(4, 4, "preparing films")
        told("4 of 4")
        show.at(1, 4)
        *_, last = told("1 of 4")
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
