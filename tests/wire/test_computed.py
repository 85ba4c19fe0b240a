"""Properties that are computed once, without a lock."""

from __future__ import annotations

import os
import threading

import pytest

from neuralgraph.wire.computed import computed


class Slow:
    def __init__(self):
        self.began, self.end, self.times = threading.Event(), threading.Event(), 0

    @computed
    def value(self):
        """What it is."""
        self.times += 1
        self.began.set()
        self.end.wait(60)
        return [self.times]


def test_a_value_is_computed_once_and_kept():
    slow = Slow()
    slow.end.set()
    assert slow.value is slow.value
    assert slow.times == 1
    assert Slow.value.__doc__ == "What it is."


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_does_not_wait_for_a_thread_that_computes():
    slow, other = Slow(), Slow()
    other.end.set()
    thread = threading.Thread(target=lambda: slow.value)
    thread.start()
    assert slow.began.wait(60)
    child = os.fork()
    if not child:
        threading.Timer(20, os._exit, (1,)).start()
        os._exit(0 if other.value == [1] else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    slow.end.set()
    thread.join()
