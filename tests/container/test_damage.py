"""Damage of every kind, on every way into a file: found, named by one error, without hanging or filling memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from builders import build_study, hand_made_study
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralgraph as ng
from neuralgraph import Archive, NeuralGraphError
from neuralgraph.container.reader import BytesSource, Container
from neuralgraph.errors import CODES

ONE = ng.to_bytes(hand_made_study())
SEVERAL = ng.to_bytes([hand_made_study(), build_study(seed=1, patches=2, dim=2), build_study(seed=2, patches=1, dim=1)])
LARGE = ng.to_bytes(
    build_study(patches=12, dim=40, concepts=5, vectors=2, form="float32", report="heart normal. " * 9),
)


class Closable(BytesSource):
    """Bytes in the place of a file."""

    def close(self):
        """Nothing to close."""


def read_as_archive(data):
    source = Closable(data)
    with Archive([(Path("a.ngr"), source, Container(source))]) as archive:
        return archive.ids, list(archive)


def refusal(read, data):
    """The code with which ``read`` refuses ``data``, or None."""
    try:
        read(data)
    except NeuralGraphError as error:
        assert error.code in CODES  # noqa: PT017  whether it is refused at all is what the caller asks
        assert "\n" not in str(error)  # noqa: PT017
        return error.code
    return None


def assert_refused(data, *, single):
    """Every way in refuses ``data``; the codes are those of the first rule that is broken."""
    report = ng.validate_bytes(data)
    assert not report.ok
    codes = {problem.code for problem in report.problems}
    assert refusal(read_as_archive, data) is not None
    if single:
        assert refusal(ng.load_bytes, data) in codes


def test_the_files_are_sound():
    assert ng.validate_bytes(ONE).ok
    assert ng.validate_bytes(SEVERAL).ok
    assert len(read_as_archive(SEVERAL)[1]) == 3


@pytest.mark.parametrize("name", ["one study", "several studies"])
def test_every_flipped_bit_is_found(name):
    data = bytearray(ONE if name == "one study" else SEVERAL)
    # Of several studies, one bit of every byte, each time the next one.
    step = 1 if name == "one study" else 9
    for position in range(0, 8 * len(data), step):
        data[position // 8] ^= 1 << position % 8
        assert_refused(bytes(data), single=name == "one study")
        data[position // 8] ^= 1 << position % 8


@pytest.mark.parametrize("name", ["one study", "several studies"])
def test_every_truncation_is_found(name):
    data = ONE if name == "one study" else SEVERAL
    for length in range(len(data)):
        assert_refused(data[:length], single=name == "one study")


@pytest.mark.parametrize(
    "tail", [b"\0", b"\n", bytes(8), bytes(4096), ONE, ONE[-96:], SEVERAL, b"PK\5\6" + bytes(18)], ids=len
)
def test_whatever_follows_is_found(tail):
    assert_refused(ONE + tail, single=True)
    assert_refused(SEVERAL + tail, single=False)


@pytest.mark.parametrize("head", [b"\0", b"\xef\xbb\xbf", bytes(128) + b"DICM", ONE], ids=len)
def test_whatever_precedes_is_found(head):
    assert refusal(ng.load_bytes, head + ONE) is not None
    assert not ng.validate_bytes(head + ONE).ok


ranges = st.tuples(st.integers(0, 2**16), st.integers(1, 200))


def changed(data, kind, where, other):
    """``data`` with one range deleted, doubled, zeroed, or exchanged with another."""
    start, length = where[0] % len(data), where[1]
    piece = data[start : start + length]
    if kind == "delete":
        return data[:start] + data[start + length :]
    if kind == "double":
        return data[:start] + piece + data[start:]
    if kind == "zero":
        return data[:start] + bytes(len(piece)) + data[start + length :]
    if kind == "reverse":
        return data[:start] + piece[::-1] + data[start + length :]
    target = other[0] % len(data)
    there = data[target : target + len(piece)]
    result = bytearray(data)
    result[start : start + len(there)] = there
    result[target : target + len(there)] = piece[: len(there)]
    return bytes(result)


@settings(max_examples=400)
@given(
    st.sampled_from([ONE, SEVERAL, LARGE]),
    st.lists(
        st.tuples(st.sampled_from(["delete", "double", "zero", "reverse", "exchange"]), ranges, ranges),
        min_size=1,
        max_size=3,
    ),
)
def test_ranges_deleted_doubled_zeroed_and_exchanged_are_found(data, changes):
    damaged = data
    for kind, where, other in changes:
        damaged = changed(damaged, kind, where, other) or b"\0"
    if damaged != data:
        assert_refused(damaged, single=data is not SEVERAL)


@settings(max_examples=200)
@given(st.binary(max_size=400), st.sampled_from([0, 8, 32]), st.sampled_from([0, 8, 96]))
def test_arbitrary_bytes_between_true_ends_are_refused(middle, head, tail):
    data = ONE[:head] + middle + (ONE[-tail:] if tail else b"")
    if data != ONE:
        assert_refused(data, single=True)


def test_refusing_takes_little_memory():
    tracemalloc.start()
    try:
        for position in range(0, len(LARGE), 7):
            data = bytearray(LARGE)
            data[position] ^= 0xFF
            refusal(ng.load_bytes, bytes(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_a_refusal_names_the_place(tmp_path):
    data = bytearray(SEVERAL)
    data[32 + 200] ^= 1
    path = tmp_path / "damaged.ngr"
    path.write_bytes(data)
    with ng.open(path) as archive:
        assert archive[1].study_id == "study-1"
        with pytest.raises(NeuralGraphError) as caught:
            archive[0]
    assert caught.value.where.startswith(f"{path}: record[0]")
    places = [problem.where for problem in ng.validate(path).problems]
    assert all(place.startswith("record[0]") for place in places)
