import random
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.wire.composed import composed

MARKS = [chr(code) for code in range(0x110000) if unicodedata.combining(chr(code))]


@given(st.text(st.sampled_from([*"aeiouÅéΩ가각각क़\u0929\u0344\u212b", *MARKS[::17]]), max_size=90))
def test_the_same_as_the_library(text):
    assert composed(text) == unicodedata.normalize("NFC", text)


@given(st.text(max_size=60))
def test_the_same_as_the_library_on_any_text(text):
    assert composed(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("seed", range(3))
def test_long_runs_of_marks(seed):
    draw = random.Random(seed)
    text = "".join(draw.choice(["é", "a", *draw.choices(MARKS, k=40)]) for _ in range(3000))
    assert composed(text) == unicodedata.normalize("NFC", text)


def test_a_hostile_megabyte_takes_no_minutes():
    for text in ("a" + "\u0301\u0323" * 260_000, "".join(MARKS[::-1]) * 600, "e\u0301" * 350_000):
        began = time.process_time()
        composed(text)
        assert time.process_time() - began < 10
