"""Byte codec 3 and its dictionaries: named by their content, and never another one."""

from __future__ import annotations

import contextlib
import random
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.codecs import dictionary as codec
from neuralgraph.codecs import zstd
from neuralgraph.codecs.dictionary import Dictionary, dictionary_id, train_dictionary
from neuralgraph.errors import CodecError

SENTENCE = "no focal consolidation or pleural effusion is seen in the left lower lobe, the heart is mildly enlarged"
WORDS = SENTENCE.split()


def text(seed: int, words: int = 30) -> bytes:
    generator = random.Random(seed)
    return " ".join(generator.choice(WORDS) for _ in range(words)).encode()


TRAINED = train_dictionary([text(seed) for seed in range(300)], size=2_048)
assert TRAINED is not None
FIND = {TRAINED.id: TRAINED}.get


def resealed(data: bytes) -> bytes:
    return data[:4] + struct.pack("<I", dictionary_id(data)) + data[8:]


@given(st.one_of(st.binary(max_size=600), st.integers(0, 2**32).map(text)))
def test_round_trip(data):
    frame = TRAINED.encode(data)
    assert codec.decode(memoryview(frame), len(data), FIND, where="x") == data
    assert codec.named_dictionary(memoryview(frame), where="x") == TRAINED.id


def test_it_is_worth_it():
    fresh = [text(seed) for seed in range(1_000, 1_100)]
    assert sum(len(TRAINED.encode(data)) for data in fresh) < 0.75 * sum(len(zstd.encode(data)) for data in fresh)


def test_training_gives_the_same_again_and_an_id_of_its_content():
    again = train_dictionary([text(seed) for seed in range(300)], size=2_048)
    assert again is not None
    assert again.data == TRAINED.data
    assert 65_536 <= TRAINED.id == dictionary_id(TRAINED.data) < 2**31


@pytest.mark.parametrize("samples", [[], [b""], [b"a"] * 3, [text(0)]])
def test_too_few_samples_give_none(samples):
    assert train_dictionary(samples, size=2_048) is None


@given(st.integers(8, len(TRAINED.data) - 1), st.integers(1, 255))
def test_other_content_under_the_same_id_is_refused(place, change):
    data = bytearray(TRAINED.data)
    data[place] ^= change
    with pytest.raises(CodecError, match="E_DICT"):
        Dictionary(bytes(data))


@given(st.integers(8, 200), st.integers(1, 255))
def test_damaged_tables_are_refused_or_decode_without_a_crash(place, change):
    data = bytearray(TRAINED.data)
    data[place] ^= change
    frame, size = TRAINED.encode(text(5)), len(text(5))
    with contextlib.suppress(CodecError):
        damaged = Dictionary(resealed(bytes(data)))
        frame = frame.replace(TRAINED.data[4:8], damaged.data[4:8])
        assert len(codec.decode(memoryview(frame), size, lambda _: damaged, where="x")) == size


@pytest.mark.parametrize("data", [b"", b"1234567", b"12345678", bytes(100), TRAINED.data[:60], b"x" * (2**20 + 1)])
def test_what_is_no_dictionary_is_refused(data):
    with pytest.raises(CodecError, match="E_DICT"):
        Dictionary(resealed(data) if len(data) > 8 else data)


def test_the_largest_one_is_accepted_and_a_larger_one_is_not():
    whole = TRAINED.data.ljust(2**20, b".")
    assert len(Dictionary(resealed(whole)).data) == 2**20
    with pytest.raises(CodecError, match="more than 1048576 bytes"):
        Dictionary(resealed(whole + b"."))


def test_a_missing_dictionary_is_named():
    with pytest.raises(CodecError, match=f"the dictionary {TRAINED.id:08x} is needed") as caught:
        codec.decode(memoryview(TRAINED.encode(b"abc")), 3, codec.no_dictionary, where="here")
    assert (caught.value.code, caught.value.where) == ("E_DICT", "here")


def test_a_frame_without_one_is_refused_and_one_with_it_elsewhere():
    with pytest.raises(CodecError, match="E_ZSTD"):
        codec.decode(memoryview(zstd.encode(b"abc")), 3, FIND, where="x")
    with pytest.raises(CodecError, match="E_ZSTD"):
        zstd.decode(memoryview(TRAINED.encode(b"abc")), 3, where="x")


def test_threads_do_not_disturb_each_other():
    frames = [(TRAINED.encode(text(seed, 200)), text(seed, 200)) for seed in range(50)]

    def same(pair: tuple[bytes, bytes]) -> bool:
        frame, data = pair
        return all(
            codec.decode(memoryview(frame), len(data), FIND, where="x") == data and TRAINED.encode(data) == frame
            for _ in range(20)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(same, frames))
