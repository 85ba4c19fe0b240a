import pytest

from neuralgraph.bulk import stopwatch
from neuralgraph.bulk.stopwatch import Stopwatch


def test_stages_add_up_however_they_end(monkeypatch):
    ticks = iter([0.0, 2.0, 10.0, 11.0, 20.0, 23.0])
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: next(ticks))
    watch = Stopwatch()
    with watch.stage("film"):
        pass
    with watch.stage("report"):
        pass
    with pytest.raises(KeyError), watch.stage("film"):
        raise KeyError
    assert watch.seconds == {"film": 5.0, "report": 1.0}
