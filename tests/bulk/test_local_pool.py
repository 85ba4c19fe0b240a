"""Workers of this machine, with one that needs no model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from neuralgraph.bulk.local_pool import WorkerPool
from neuralgraph.bulk.pool import Worker, least_busy
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import Task
from neuralgraph.errors import ModelError

FAKE = (sys.executable, str(Path(__file__).parent / "fake_worker.py"))


def answered(pool, count):
    answers = []
    while len(answers) < count:
        answers += pool.answers()
    return answers


@pytest.fixture
def task(film, tmp_path):
    (tmp_path / "film.png").write_bytes(film)

    def make(name, report="Clear."):
        return Task(name, [(str(tmp_path / "film.png"), "PA")], str(tmp_path / f"{name}.ngr"), report)

    return make


def test_a_worker_has_one_study_in_hand_and_one_behind_it(task, tmp_path):
    with WorkerPool(ConversionSettings(), 1, command=FAKE) as pool:
        while not pool.idle:
            assert not list(pool.answers())
        pool.give(task("one"))
        assert pool.idle
        pool.give(task("two"))
        assert not pool.idle
        assert [answer.study_id for answer in answered(pool, 2)] == ["one", "two"]
        assert pool.method == {"model": "fake demo"}
    assert {path.name for path in tmp_path.glob("*.ngr")} == {"one.ngr", "two.ngr"}


def test_a_worker_that_dies_is_replaced_and_what_waited_is_done(task):
    with WorkerPool(ConversionSettings(), 1, command=FAKE) as pool:
        while not pool.idle:
            list(pool.answers())
        pool.give(task("bad", "CRASH"))
        pool.give(task("good"))
        bad, good = answered(pool, 2)
    assert (bad.study_id, bad.reason) == ("bad", "worker_died")
    assert (good.study_id, good.reason) == ("good", "")


def test_a_model_that_cannot_be_loaded_ends_the_pool():
    with (
        pytest.raises(ModelError, match="no such model"),
        WorkerPool(ConversionSettings(model="absent"), 1, command=FAKE) as pool,
    ):
        answered(pool, 1)


def test_the_least_busy_of_those_with_room():
    ready = {"method": {"model": "m"}}
    waiting = Task("t", [], "t.ngr")
    loading, busy, full = Worker(), Worker(**ready, tasks=[waiting]), Worker(**ready, tasks=[waiting, waiting])
    assert [worker.has_room for worker in (loading, busy, full)] == [False, True, False]
    assert least_busy([full, loading, busy]) is busy
    free = Worker(**ready)
    assert least_busy([busy, free, Worker(**ready)]) is free
