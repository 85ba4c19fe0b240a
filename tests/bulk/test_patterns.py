"""All identifiers at once find what one after the other would find."""

import random
import time

import pytest

from neuralgraph.bulk import patterns
from neuralgraph.bulk.identifiers import Identifier
from neuralgraph.bulk.patterns import Patterns, written_forms


def one_by_one(data, identifiers):
    for identifier in identifiers:
        for form in written_forms(identifier.value):
            if form.written in (data.lower() if form.any_case else data):
                yield identifier, form.name
                break


@pytest.mark.parametrize("chunk", [1, 40, 1 << 20])
def test_the_same_as_one_after_the_other(monkeypatch, chunk):
    monkeypatch.setattr(patterns, "_CHUNK", chunk)
    draw = random.Random(chunk)
    identifiers = [
        Identifier(f"line {n}", "".join(draw.choice("aAbB1é ") for _ in range(draw.randrange(4, 12))))
        for n in range(60)
    ]
    searched = Patterns(identifiers)
    for _ in range(60):
        pieces = [bytes(draw.choice(b"aAbB1 ") for _ in range(draw.randrange(400)))]
        for identifier in draw.sample(identifiers, 5):
            form = draw.choice(written_forms(identifier.value))
            written = form.written.swapcase() if form.any_case and draw.random() < 0.5 else form.written
            pieces += [written, bytes(draw.randrange(256) for _ in range(draw.randrange(90)))]
        data = b"".join(pieces)
        found = list(searched.found_in(data))
        assert found == list(one_by_one(data, identifiers))
        assert found


def test_case_counts_where_it_does():
    (found,) = Patterns([Identifier("a", "Jane Doe-4711")]).found_in(b"x JANE DOE-4711 y")
    assert found[1] == "text"
    encoded = next(form.written for form in written_forms("Jane Doe-4711") if form.name == "base64")
    assert not list(Patterns([Identifier("a", "Jane Doe-4711")]).found_in(encoded.swapcase()))


def test_two_that_are_written_alike_are_both_found():
    alike = [Identifier("a", "Doe-4711"), Identifier("b", "DOE-4711"), Identifier("c", "4711")]
    assert [(one.name, form) for one, form in Patterns(alike).found_in(b"doe-4711")] == [
        ("a", "text"), ("b", "text"), ("c", "text"),
    ]  # fmt: skip


def test_many_identifiers_in_many_files_cost_what_the_files_weigh():
    draw = random.Random(0)
    identifiers = [Identifier(f"line {n}", f"Doe^Jane {draw.randrange(10**9)}") for n in range(600)]
    began = time.process_time()
    searched = Patterns(identifiers)
    data = draw.randbytes(10_000)
    for _ in range(600):
        assert not list(searched.found_in(data))
    assert time.process_time() - began < 8  # 80 seconds when each was searched for by itself


def test_without_its_library(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "ahocorasick", None)
    with pytest.raises(ImportError, match=r"'\.\[audit\]'"):
        Patterns([Identifier("a", "4711")])
