"""Files that try something: one error, nothing executed, no memory taken."""

from __future__ import annotations

import os
import pickle
import struct
import tracemalloc
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch_files import EDGES, STORAGES, container, graph, integer, program, small_graph, tensor, text, write

from neuralgraph.errors import SourceError
from neuralgraph.migration import interpreter, open_reference
from neuralgraph.migration.interpreter import interpret


def read(path):
    with open_reference(path) as file:
        return list(file)


def refusal(path):
    with pytest.raises(SourceError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(path) not in str(caught.value)
    return caught.value.code


def test_the_files_made_here_are_good_as_long_as_nothing_is_wrong(tmp_path):
    (found,) = read(write(tmp_path / "a.pt", program(small_graph()), STORAGES))
    assert found.arrays["x"].shape == (3, 2)
    assert found.arrays["edge_index"].tolist() == [[0, 1], [1, 2]]


class Runs:
    """Unpickling this leaves a trace."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["alone", "in a list", "as a graph", "behind a graph"])
def test_code_is_never_run(tmp_path, protocol, place):
    trace = tmp_path / "trace"
    bad = pickle.dumps(Runs(os.system, f"touch {trace}"), protocol)
    if place == "in a list":
        bad = pickle.dumps([Runs(eval, f"open({str(trace)!r}, 'w').close()")], protocol)
    if protocol == 2:
        inner = bad[2:-1]
        if place == "as a graph":
            bad = program(graph(x=inner))
        if place == "behind a graph":
            bad = program(small_graph(), inner)
    path = write(tmp_path / "a.pt", bad, STORAGES)
    assert refusal(path) == "E_SOURCE_CONTENT"
    assert not trace.exists()
    # The attack is a real one: unpickling does leave the trace.
    if place in ("alone", "in a list"):
        pickle.loads(bad)
        assert trace.exists()


@pytest.mark.parametrize(
    "instructions",
    [
        b"cos\nsystem\n",
        b"cbuiltins\neval\n",
        b"ctorch\nload\n",
        b"ctorch._utils\n_rebuild_tensor\n",
        b"ctorch.storage\n_load_from_bytes\n",
        b"cneuralgraph.cli\nmain\n",
        b"ctorch_geometric.data.data\nData.__init__\n",
        b"ctorch_geometric.data.data\nData\n(t\x81}U\x01a}sb",  # a string of another instruction
        b"(i__builtin__\nexec\n",  # INST
        b"(cos\nsystem\no",  # OBJ
        b"ctorch_geometric.data.data\nData\n(K\x01t\x81",  # an argument for a graph
        b"ctorch_geometric.data.data\nData\n)R",  # a class that is called
        b"ccollections\nOrderedDict\n(](K\x01K\x02etR",
        b"ctorch._utils\n_rebuild_tensor_v2\n)R",
        b"ctorch._utils\n_rebuild_tensor_v2\nctorch._utils\n_rebuild_tensor_v2\nR",
        b"X\x01\x00\x00\x00a)R",
        b"K\x01Q",
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x05\x00\x00\x00../..X\x03\x00\x00\x00cpuK\x01tQ",
        b"(X\x06\x00\x00\x00modulectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQ",
        b"Pabc\n",  # PERSID
        b"\x82\x01",  # EXT1
        b"\x95\x00\x00\x00\x00\x00\x00\x00\x00",  # FRAME
        b"\x8a\x09" + bytes(9),  # an integer of 72 bits
        b"\x8b\xff\xff\xff\x7f",  # LONG4
        b"}(K\x01K\x02u",
    ],
)
def test_other_instructions_and_names_are_refused(instructions):
    with pytest.raises(SourceError) as caught:
        interpret(b"\x80\x02" + instructions + b".")
    assert caught.value.code == "E_SOURCE_CONTENT"


@pytest.mark.parametrize(
    "instructions",
    [
        b"",
        b"K",
        b"a",
        b"]a",
        b"(.",
        b"(a",
        b"(K\x01s",
        b"]]a]",
        b"K\x01K\x02",
        b"u",
        b"}(X\x01\x00\x00\x00au",
        b"}(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00aK\x02u",
        b"X\xff\xff\x00\x00a",
        b"X\x01\x00\x00\x00\xff",
        b"h\x00",
        b"]q\x01",
        b"]r\xff\xff\xff\xff",
        b"K\x01e",
        b"c" + b"a" * 300 + b"\n",
        b"c\xff\n\n",
        b"K\x01.K\x02",
    ],
)
def test_programs_that_contradict_themselves(instructions):
    with pytest.raises(SourceError) as caught:
        interpret(b"\x80\x02" + instructions + b".")
    assert caught.value.code == "E_SOURCE_DAMAGED"


def test_what_contains_itself_is_no_trouble(tmp_path):
    assert refusal(write(tmp_path / "list.pt", b"\x80\x02]q\x00h\x00a.")) == "E_SOURCE_CONTENT"
    looped = b"ctorch_geometric.data.data\nData\n)\x81q\x00}X\x06\x00\x00\x00_storeh\x00sb"
    assert refusal(write(tmp_path / "store.pt", b"\x80\x02](" + looped + b"e.")) == "E_SOURCE_CONTENT"
    kept = b"ctorch_geometric.data.data\nData\n)\x81q\x00}X\x01\x00\x00\x00xh\x00sb"
    assert refusal(write(tmp_path / "x.pt", b"\x80\x02](" + kept + b"e.")) == "E_SOURCE_CONTENT"


@pytest.mark.parametrize(
    ("instructions", "code"),
    [
        (b"(" * 100_000, "E_SOURCE_SIZE"),
        (b"X\xff\xff\xff\xff", "E_SOURCE_SIZE"),
        (b"]" * 300_000, "E_SOURCE_SIZE"),
        (b"]q\x00" + b"h\x00" * 200_000, "E_SOURCE_SIZE"),
        (b")" + b"\x85" * 100_000 + b".", None),
    ],
)
def test_bombs_meet_a_bound(monkeypatch, instructions, code):
    monkeypatch.setattr(interpreter, "MAX_VALUES", 150_000)
    tracemalloc.start()
    try:
        if code is None:
            interpret(b"\x80\x02" + instructions)
        else:
            with pytest.raises(SourceError) as caught:
                interpret(b"\x80\x02" + instructions)
            assert caught.value.code == code
        assert tracemalloc.get_traced_memory()[1] < 24 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "view",
    [
        {"size": (3, 2), "stride": (2, 1), "offset": 1},
        {"size": (4, 2), "stride": (2, 1)},
        {"size": (3, 2), "stride": (3, 1)},
        {"size": (3, 2), "stride": (-2, 1), "offset": 5},
        {"size": (3, 2), "stride": (2, 1), "offset": -1},
        {"size": (-3, 2), "stride": (2, 1)},
        {"size": (3, 2), "stride": (2,)},
        {"size": (2**62, 2), "stride": (2, 1)},
        {"size": (3, 2), "stride": (2**62, 1)},
        {"size": (2**62, 2**62), "stride": (0, 0)},
        {"size": (7, 1), "stride": (0, 0)},
        {"size": (0, 2**40), "stride": (0, 0)},
        {"size": (1, 1, 1, 3, 2), "stride": (1, 1, 1, 2, 1)},
    ],
)
def test_no_tensor_reaches_outside_its_storage(tmp_path, view):
    path = write(tmp_path / "a.pt", program(small_graph(x=tensor("0", 6, **view))), STORAGES)
    assert refusal(path) in ("E_SOURCE_DAMAGED", "E_SOURCE_SIZE")


@pytest.mark.parametrize(
    "x",
    [
        tensor("0", 7, size=(3, 2), stride=(2, 1)),
        tensor("0", 5, size=(2, 2), stride=(2, 1)),
        tensor("0", 6, size=(3, 2), stride=(2, 1), kind="DoubleStorage"),
        tensor("9", 6, size=(3, 2), stride=(2, 1)),
        tensor("1", 8, size=(3, 2), stride=(2, 1)),
    ],
)
def test_storages_are_what_the_tensor_says(tmp_path, x):
    both = program(small_graph(x=x), small_graph(x=tensor("0", 12, size=(3, 2), stride=(2, 1), kind="HalfStorage")))
    assert refusal(write(tmp_path / "a.pt", both, STORAGES)) == "E_SOURCE_DAMAGED"


def test_views_of_one_storage_do_not_multiply(tmp_path):
    large = tensor("0", 2**18, size=(2**17, 2), stride=(2, 1))
    path = write(tmp_path / "a.pt", program(*[small_graph(x=large)] * 40), {"0": bytes(2**20), "1": EDGES})
    assert refusal(path) == "E_SOURCE_SIZE"


def test_truth_values_are_0_or_1(tmp_path):
    y = tensor("2", 2, size=(2,), stride=(1,), kind="BoolStorage")
    assert (
        refusal(write(tmp_path / "a.pt", program(small_graph(y=y)), {**STORAGES, "2": b"\x01\x02"}))
        == "E_SOURCE_DAMAGED"
    )


# The container


def good():
    return container(program(small_graph()), STORAGES)


def directory_of(data):
    return data.index(b"PK\x01\x02")


def put(data, offset, form, *values):
    return data[:offset] + struct.pack(form, *values) + data[offset + struct.calcsize(form) :]


def containers():
    data = good()
    at, end = directory_of(data), len(data) - 22
    second = data.index(b"PK\x01\x02", at + 4)
    yield "entries overlap", put(data, second + 42, "<I", 0)
    yield "same entry twice", put(data, second, f"{second - at}s", data[at:second])
    yield "larger than the file", put(data, at + 20, "<II", 2**27, 2**27)
    yield "claims a bomb", put(data, at + 20, "<II", 2**28 + 1, 2**28 + 1)
    yield "offset outside", put(data, at + 42, "<I", 2**31)
    yield "compressed size", put(data, at + 20, "<I", 5)
    yield "encrypted", put(data, at + 8, "<H", 1)
    yield "many entries", put(data, end + 8, "<HH", 60_000, 60_000)
    yield "fewer entries", put(data, end + 8, "<HH", 1, 1)
    yield "directory elsewhere", put(data, end + 16, "<I", 40)
    yield "directory size", put(data, end + 12, "<I", 2**31)
    yield "comment", put(data, end + 20, "<H", 1) + b"!"
    yield "appended", data + b"\0" * 8
    yield "second disk", put(data, end + 4, "<H", 1)
    yield "local name", data.replace(b"graphs/data.pkl", b"graphs/data.pkx", 1)
    yield "deflated", container(program(small_graph()), STORAGES, method=zipfile.ZIP_DEFLATED)
    yield "checksum", data.replace(b"ctorch_geometric", b"ctorch_geometriC", 1)
    yield "no pickle", data.replace(b"data.pkl", b"data.txt")
    yield "big endian", container(program(small_graph()), STORAGES).replace(b"little", b"bigbig")
    for length in (4, 21, 100, at, end, len(data) - 1):
        yield f"cut at {length}", data[:length]
    yield "empty", b""


@pytest.mark.parametrize(("name", "data"), list(containers()), ids=[name for name, _ in containers()])
def test_containers_that_lie(tmp_path, name, data):
    path = tmp_path / "a.pt"
    path.write_bytes(data)
    assert refusal(path) in ("E_SOURCE_DAMAGED", "E_SOURCE_SIZE", "E_SOURCE_TYPE", "E_SOURCE_EMPTY")


def test_large_file_directories_are_read(tmp_path):
    """The end of a container in its zip64 form, as files of many graphs have it."""
    data = good()
    end = len(data) - 22
    _, _, _, count, _, size, offset, _ = struct.unpack("<4s4H2IH", data[end:])
    large = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    path = tmp_path / "a.pt"
    path.write_bytes(data[:end] + large + locator + tail)
    assert len(read(path)) == 1
    path.write_bytes(data[:end] + large + struct.pack("<4sIQI", b"PK\x06\x07", 0, end + 1, 1) + tail)
    assert refusal(path) == "E_SOURCE_DAMAGED"


def test_paths_that_are_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "pipe"):
        assert refusal(path) == "E_SOURCE_READ"


def test_names_that_would_spoil_a_terminal_are_not_repeated(tmp_path):
    path = write(tmp_path / "a.pt", program(small_graph(**{"\x1b[2J": integer(1), "patient": text("Bob")})), STORAGES)
    (found,) = read(path)
    assert found.left_behind == ("(a name that is not a plain word)", "patient")


# Mutation


BASE = container(program(small_graph(), small_graph(y=tensor("0", 6, size=(1,), stride=(1,)))), STORAGES)


@given(changes=st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_changed_container_is_read_or_refused(tmp_path_factory, changes):
    data = bytearray(BASE)
    for position, value in changes:
        data[position] = value
    path = tmp_path_factory.getbasetemp() / "mutated.pt"
    path.write_bytes(bytes(data))
    with suppress(SourceError):
        read(path)


PROGRAM = program(small_graph(), small_graph(y=tensor("0", 6, size=(1,), stride=(1,))))
PIECES = st.sampled_from(
    [b"(", b"t", b"R", b"b", b"\x81", b"]", b"}", b")", b"e", b"u", b"s", b"a", b"Q", b"q\0", b"h\0", b"N"]
)


@given(
    start=st.integers(0, len(PROGRAM)),
    length=st.integers(0, 40),
    inserted=st.binary(max_size=6) | st.lists(PIECES, max_size=4).map(b"".join),
)
def test_a_changed_program_is_read_or_refused(tmp_path_factory, start, length, inserted):
    changed = PROGRAM[:start] + inserted + PROGRAM[start + length :]
    path = tmp_path_factory.getbasetemp() / "mutated-program.pt"
    path.write_bytes(container(changed, STORAGES))
    with suppress(SourceError):
        read(path)
