"""Every error arrives as what it was raised as: class, code, place and message, whoever carries it."""

from __future__ import annotations

import ast
import concurrent.futures
import copy
import multiprocessing
import pickle
from pathlib import Path

import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph import errors
from neuralgraph.errors import CODES, NeuralGraphError, StudyNotFoundError

ROOT = Path(__file__).parents[1]
CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, NeuralGraphError) and kind is not NeuralGraphError
]
PLACES = ["", "a.ngr", "/data/b [2].ngr: record[3].stream 0x0101", "C:\\b.ngr: toc", "x ]: y"]


def same(one: BaseException, other: BaseException) -> bool:
    names = ("message", "code", "where", "args")
    return type(one) is type(other) and all(getattr(one, name) == getattr(other, name) for name in names)


def code_of(kind: type[NeuralGraphError]) -> str:
    return kind.only_code or "E_OVERFLOW"


def raise_it(kind, where):
    error = kind("it went wrong: see there", code=code_of(kind), where=where)
    error.add_note("and this beside")
    raise error


def test_no_class_has_a_default_code_that_could_be_another():
    for kind in CLASSES:
        if kind.only_code:
            assert kind("x").code == kind.only_code
        else:
            with pytest.raises(TypeError, match="needs code="):
                kind("x")
        with pytest.raises(AssertionError, match="registered"):
            kind("x", code="E_NONE")


def test_every_place_that_raises_says_its_code():
    silent = []
    several = {kind.__name__ for kind in CLASSES if not kind.only_code}
    for folder in ("neuralgraph", "bench", "docs", "examples", "fuzz", "spec"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                    if name in several and not any(part.arg in ("code", None) for part in node.keywords):
                        silent.append(f"{path}:{node.lineno}")
    assert silent == []


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("kind", CLASSES)
def test_copies_and_pickles_are_the_same_error(kind, where):
    with pytest.raises(kind) as caught:
        raise_it(kind, where)
    for again in (copy.copy(caught.value), copy.deepcopy(caught.value)):
        assert same(again, caught.value)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(caught.value, protocol))
        assert same(again, caught.value)
        assert again.__notes__ == ["and this beside"]


def test_a_place_that_was_made_longer_after_the_error_is_kept():
    error = ng.FormatError("broken", code="E_CRC", where="toc")
    error.where = "a.ngr: toc"
    assert pickle.loads(pickle.dumps(error)).where == "a.ngr: toc"


@pytest.mark.parametrize("where", PLACES[:-1])
@pytest.mark.parametrize("kind", CLASSES)
def test_errors_that_torch_carries_out_of_a_worker_are_the_same(kind, where):
    torch_utils = pytest.importorskip("torch._utils")
    with pytest.raises(kind) as caught:
        raise_it(kind, where)
    wrapped = torch_utils.ExceptionWrapper(caught._excinfo, "in DataLoader worker process 0")
    carried = pickle.loads(pickle.dumps(wrapped))
    with pytest.raises(kind) as arrived:
        carried.reraise()
    assert same(arrived.value, caught.value)
    assert "Traceback" in arrived.value.__notes__[0]


def test_the_error_that_ended_the_worker_is_told_from_those_it_came_of():
    text = (
        "Caught FormatError in DataLoader worker process 1.\nOriginal Traceback (most recent call last):\n"
        "neuralgraph.errors.FormatError: E_CRC [toc]: damaged\n\nDuring handling of the above exception:\n"
        "neuralgraph.errors.FormatError: E_OPEN: closed\n"
    )
    error = ng.FormatError(text)
    assert (error.code, error.where, error.message) == ("E_OPEN", "", "closed")
    with pytest.raises(TypeError):
        ng.StudyError(text)


def open_missing(path):
    return len(ng.open(path))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_process_pools_hand_errors_on(tmp_path, method):
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        failed = pool.submit(raise_it, StudyNotFoundError, "study-9").exception(timeout=60)
    assert same(failed, StudyNotFoundError("it went wrong: see there", where="study-9"))


def test_data_loaders_and_ray_hand_errors_on(tmp_path):
    data = pytest.importorskip("torch.utils.data")
    ng.save([build_study(seed=1), build_study(seed=2)], tmp_path / "a.ngr")

    class Studies(data.Dataset):
        def __init__(self, path):
            self.path = path

        def __len__(self):
            return 2

        def __getitem__(self, number):
            return ng.open(self.path)[number].labels

    (tmp_path / "a.ngr").unlink()
    with pytest.raises(ng.FormatError) as alone:
        ng.open(tmp_path / "a.ngr")
    with pytest.raises(ng.FormatError) as carried:
        list(data.DataLoader(Studies(tmp_path / "a.ngr"), num_workers=1, multiprocessing_context="fork"))
    assert same(carried.value, alone.value)
    assert carried.value.code == "E_OPEN"


@pytest.mark.slow
def test_ray_hands_errors_on():
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=1, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": f"{ROOT}:{ROOT}/tests"}})
    try:
        for kind in CLASSES:
            with pytest.raises(kind) as caught:
                ray.get(ray.remote(raise_it).remote(kind, "a.ngr"))
            arrived = caught.value
            assert (arrived.code, arrived.where) == (code_of(kind), "a.ngr")
            assert arrived.message == "it went wrong: see there"
    finally:
        ray.shutdown()


def test_what_errors_print_cannot_move_a_cursor():
    error = ng.FormatError("id 'a\u202eb'\x1b[2J", code="E_NUM", where="x\n\x9b31m.ngr")
    assert str(error) == "E_NUM [x\\n\\x9b31m.ngr]: id 'a\\u202eb'\\x1b[2J"
    assert error.where == "x\n\x9b31m.ngr"


def test_codes_are_named_once():
    assert all(code.startswith("E_") for code in CODES)
