import os

import pytest

from neuralgraph.cli.processors import processors


def test_processors_of_this_process():
    assert 1 <= processors() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(("known", "counted"), [(6, 6), (None, 1)])
def test_where_the_system_does_not_say(monkeypatch, known, counted):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: known)
    assert processors() == counted
