from __future__ import annotations

import os
import signal

from neuralgraph.cli.training_progress import Pace, stopped_by_signals


def test_rate_and_time_left_stay_when_validations_pause_the_run():
    now = [0.0]
    pace = Pace(lambda: now[0])
    for step in range(1, 201):
        now[0] += 1.0 if step % 50 else 101.0
        rate, left = pace.step(step, 400)
        if step > 1:
            assert rate > 0
            assert left > 0
    # 200 steps took 600 seconds, their pauses counted: as many are to come.
    assert 550 < left < 650
    # Another part begins anew.
    now[0] += 1
    pace.step(1, 10)
    now[0] += 2
    assert pace.step(2, 10) == (0.5, 16.0)


def test_a_signal_asks_and_is_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopped_by_signals() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
    assert signal.getsignal(signal.SIGTERM) is before
