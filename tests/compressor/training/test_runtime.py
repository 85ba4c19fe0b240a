from __future__ import annotations

from neuralgraph.compressor.training.runtime import Runtime, expected_line, progress_lines


def test_nobody_follows_and_nobody_asks_to_stop():
    alone = Runtime()
    alone.tell(1, 2, {})
    assert not alone.stopped


def test_who_follows_is_told_and_who_asks_is_heard():
    seen = []
    followed = Runtime(progress=lambda *step: seen.append(step), stop=lambda: len(seen) > 1)
    followed.tell(1, 3, {"loss": 2.0})
    assert not followed.stopped
    followed.tell(2, 3, {"loss": 1.0})
    assert followed.stopped
    assert seen == [(1, 3, {"loss": 2.0}), (2, 3, {"loss": 1.0})]


def test_a_line_now_and_then(capsys):
    for step in range(1, 121):
        progress_lines(step, 120, {"loss": 0.5})
    assert capsys.readouterr().err.splitlines() == [f"{step}/120  loss 0.500" for step in (50, 100, 120)]


def test_how_long_it_takes_is_a_line(capsys):
    expected_line(125.0)
    assert capsys.readouterr().err == "about 2 min for what is to be learnt, validations not counted\n"
