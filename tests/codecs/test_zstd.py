"""The frame rules of codecs/zstd/SPEC.md: what libzstd would take, and a reader must not."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.codecs import zstd
from neuralgraph.errors import CodecError

MAGIC = b"\x28\xb5\x2f\xfd"
DATA = b"the heart is normal in size. " * 20
SIZE = len(DATA)


def compress(data=DATA, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def code_of(frame, size=SIZE):
    with pytest.raises(CodecError) as caught:
        zstd.decode(memoryview(frame), size, where="place")
    assert caught.value.where == "place"
    assert "\n" not in str(caught.value)
    return caught.value.code


@given(st.binary(max_size=4000), st.sampled_from([1, 3, 9, zstd.LEVEL, 19]))
def test_what_is_encoded_is_decoded(data, level):
    assert zstd.decode(memoryview(zstd.encode(data, level=level)), len(data), where="x") == data


@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(1, 60)), max_size=8), st.sampled_from([1, zstd.LEVEL]))
def test_a_compressor_that_is_used_again_writes_what_a_new_one_would(parts, level):
    for part, times in parts:
        data = part * times
        assert zstd.encode(data, level=level) == zstd._compressor(len(data), level).compress(data)


@pytest.mark.parametrize("level", [1, 9, zstd.LEVEL, 19])
@pytest.mark.parametrize("bits", range(7, zstd._REUSED_BITS + 1))
def test_sizes_that_share_a_compressor_have_the_same_parameters(level, bits):
    names = ("window_log", "chain_log", "hash_log", "search_log", "min_match", "target_length", "strategy")
    found = set()
    for size in {(1 << bits - 1) + 1, 3 << bits - 2, (1 << bits) - 1, 1 << bits}:
        parameters = zstd._parameters(size, level)
        found.add(tuple(getattr(parameters, name) for name in names))
    assert len(found) == 1


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_791, 65_792, 2**20, 3 * 2**20])
def test_every_width_of_the_content_size_is_read(size):
    data = bytes(number * 7 % 256 for number in range(1000)) * (size // 1000 + 1)
    data = data[:size]
    frame = zstd.encode(data)
    assert zstd.decode(memoryview(frame), size, where="x") == data
    parameters = zstandard.get_frame_parameters(frame)
    assert parameters.content_size == size
    assert parameters.window_size <= 2**20
    assert not parameters.has_checksum
    assert parameters.dict_id == 0


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("two frames", zstd.encode(DATA) + zstd.encode(DATA)),
        ("an empty frame behind", zstd.encode(DATA) + zstd.encode(b"")),
        ("a skippable frame behind", zstd.encode(DATA) + b"\x50\x2a\x4d\x18\x04\0\0\0abcd"),
        ("a skippable frame before", b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd.encode(DATA)),
        ("only a skippable frame", b"\x50\x2a\x4d\x18\x00\0\0\0"),
        ("one byte behind", zstd.encode(DATA) + b"\0"),
        ("one byte before", b"\0" + zstd.encode(DATA)),
        ("one byte less", zstd.encode(DATA)[:-1]),
        ("a checksum", compress(write_checksum=True)),
        ("nothing", b""),
        ("only the magic", MAGIC),
        ("a header cut short", MAGIC + b"\xe0\x00"),
        ("magic of zstd 0.7", b"\x27\xb5\x2f\xfd" + zstd.encode(DATA)[4:]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_only_one_plain_frame_is_accepted(name, frame):
    assert code_of(frame) == "E_ZSTD"


def test_a_frame_without_content_size_is_refused():
    assert code_of(compress(write_content_size=False)) == "E_ZSTD"


@pytest.mark.parametrize("size", [0, len(DATA) + 1, 2**53, 2**63, 2**64 - 1])
def test_any_other_content_size_is_refused_before_the_window_is_looked_at(size):
    single = MAGIC + b"\xe0" + size.to_bytes(8, "little") + zstd.encode(DATA)[6:]
    windowed = MAGIC + b"\xc0\xff" + size.to_bytes(8, "little") + zstd.encode(DATA)[6:]
    assert code_of(single) == code_of(windowed) == "E_SIZE"


def test_content_in_two_frames_is_refused():
    assert code_of(zstd.encode(DATA[:300]) + zstd.encode(DATA[300:])) == "E_SIZE"


def with_descriptor(bits):
    frame = bytearray(zstd.encode(DATA))
    frame[4] |= bits
    return bytes(frame)


@pytest.mark.parametrize("bits", [0x01, 0x02, 0x03, 0x04, 0x08, 0x10], ids=hex)
def test_dictionary_checksum_reserved_and_unused_bits_are_refused(bits):
    assert code_of(with_descriptor(bits)) == "E_ZSTD"


def test_a_dictionary_is_refused():
    dictionary = zstandard.ZstdCompressionDict(
        b"the heart is normal in size. " * 8, dict_type=zstandard.DICT_TYPE_RAWCONTENT
    )
    samples = [f"the lungs are clear in study {number}. no effusion".encode() * 3 for number in range(300)]
    trained = zstandard.train_dictionary(2048, samples)
    assert code_of(compress(dict_data=trained)) == "E_ZSTD"
    # A raw dictionary leaves no id: the frame passes the header, and must then not decode to something else.
    frame = compress(dict_data=dictionary)
    try:
        assert zstd.decode(memoryview(frame), len(DATA), where="x") == DATA
    except CodecError as error:
        assert error.code == "E_ZSTD"  # noqa: PT017  either is right, wrong bytes are not


@pytest.mark.parametrize("stated", [len(DATA) - 1, len(DATA) + 1, 0])
def test_the_content_size_must_be_the_required_size(stated):
    assert code_of(zstd.encode(DATA), stated) == "E_SIZE"


@pytest.mark.parametrize("claimed", [2**32, 2**40, 2**62, 2**64 - 1])
def test_a_lying_content_size_takes_no_memory(claimed):
    # No single segment, window of 1 MiB, eight bytes of content size.
    frame = MAGIC + bytes([0xC0, 10 << 3]) + claimed.to_bytes(8, "little") + b"\x01\x00\x00"
    tracemalloc.start()
    try:
        assert code_of(frame) == "E_SIZE"
        assert (
            code_of(MAGIC + bytes([0xE0]) + frame[6:], claimed) == "E_ZSTD"
        )  # single segment: the window is that size
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def raw_frame(window_byte, size=4):
    return (
        MAGIC + bytes([0x80, window_byte]) + size.to_bytes(4, "little") + (8 * size + 1).to_bytes(3, "little") + b"abcd"
    )


def test_the_window_is_limited_to_8_mib():
    assert zstd.decode(memoryview(raw_frame(13 << 3)), 4, where="x") == b"abcd"
    for window_byte in (13 << 3 | 1, 14 << 3, 31 << 3 | 7):
        assert code_of(raw_frame(window_byte), 4) == "E_ZSTD"


def test_a_true_window_above_the_limit_is_refused():
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=24)
    data = bytes(9 * 2**20)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compress(data)
    assert code_of(frame, len(data)) == "E_ZSTD"


@pytest.mark.parametrize(
    "frame",
    [
        zstd.encode(b"") + b"garbage",
        zstd.encode(b"") + zstd.encode(b""),
        zstd.encode(b"")[:-1],
        zstd.encode(b"")[:6],
        zstd.encode(b"")[:6] + b"\xff\xff\xff\xff",
    ],
    ids=["garbage behind", "two frames", "cut", "no block", "damaged block"],
)
def test_a_frame_of_no_content_is_checked_to_its_end(frame):
    assert zstd.decode(memoryview(zstd.encode(b"")), 0, where="x") == b""
    assert code_of(frame, 0) == "E_ZSTD"


def test_a_frame_that_expands_beyond_its_statement_is_refused():
    frame = bytearray(zstd.encode(bytes(200)))
    assert frame[4] == 0x20
    frame[5] = 100
    assert code_of(bytes(frame), 100) == "E_ZSTD"


@given(st.binary(max_size=80), st.integers(0, 2000))
def test_any_bytes_decode_or_fail_with_one_error(tail, size):
    for data in (tail, MAGIC + tail):
        try:
            content = zstd.decode(memoryview(data), size, where="x")
        except CodecError:
            continue
        assert len(content) == size


@given(st.data())
def test_a_damaged_frame_never_gives_more_or_fewer_bytes(data):
    frame = bytearray(zstd.encode(DATA))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert len(zstd.decode(memoryview(frame), len(DATA), where="x")) == len(DATA)
    except CodecError as error:
        assert error.code in ("E_ZSTD", "E_SIZE")  # noqa: PT017  damage that no rule of frames forbids is the CRC's


THREADS = """
import threading
from neuralgraph.codecs import zstd
data = [bytes((number * step + number // 7) % 9 for number in range(100_000)) for step in range(1, 7)]
frames = [zstd.encode(each, level=3) for each in data]
wrong = []
def work(start):
    for number in range(150):
        at = (start + number) % len(frames)
        if zstd.decode(memoryview(frames[at]), len(data[at]), where="x") != data[at]:
            wrong.append(at)
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not wrong, wrong
"""


def test_threads_may_decode_at_once():
    # In a process of its own: sharing a decompressor ends the interpreter, not just the test.
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("kind", [0, 1], ids=["stored", "repeated"])
@pytest.mark.parametrize(("size", "accepted"), [(1024, True), (1025, False)])
def test_no_block_is_larger_than_the_window(kind, size, accepted):
    """libzstd accepts such blocks; a reader that keeps one window of memory cannot."""
    smallest_window, descriptor_with_two_size_bytes = b"\x00", b"\x40"
    header = b"\x28\xb5\x2f\xfd" + descriptor_with_two_size_bytes + smallest_window + (size - 256).to_bytes(2, "little")
    block = (1 | kind << 1 | size << 3).to_bytes(3, "little") + (bytes(size) if kind == 0 else b"\x00")
    frame = memoryview(header + block)
    if accepted:
        assert zstd.decode(frame, size, where="") == bytes(size)
    else:
        with pytest.raises(CodecError) as caught:
            zstd.decode(frame, size, where="")
        assert caught.value.code == "E_ZSTD"
