from __future__ import annotations

import os
import signal

from neuralgraph.cli.stop_signals import asked_to_stop


def test_a_signal_asks_and_is_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with asked_to_stop() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
    assert signal.getsignal(signal.SIGTERM) is before
