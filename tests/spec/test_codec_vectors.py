"""The vectors in the book: every codec decodes its own, and refuses what they say is refused."""

from __future__ import annotations

import json

import pytest

from neuralgraph.errors import CodecError
from spec.tools.codec_vectors import BOOK, codec_vectors, decoded

VECTORS = {path.parent.name: json.loads(path.read_bytes()) for path in sorted(BOOK.glob("*/vectors.json"))}
ROWS = [(name, number) for name, vectors in VECTORS.items() for number in range(len(vectors))]


def test_every_page_has_some_that_decode_and_some_that_are_refused():
    assert VECTORS.keys() == {path.parent.name for path in BOOK.glob("*/codec.json")}
    for name, vectors in VECTORS.items():
        errors = set(json.loads((BOOK / name / "codec.json").read_bytes())["errors"])
        assert any("decoded" in vector for vector in vectors), name
        refused = {vector["code"] for vector in vectors if "code" in vector}
        assert refused, name
        assert refused <= errors, name


@pytest.mark.parametrize(("name", "number"), ROWS)
def test_vector(name, number):
    vector = VECTORS[name][number]
    if "decoded" in vector:
        assert decoded(name, vector) == vector["decoded"]
    else:
        with pytest.raises(CodecError) as caught:
            decoded(name, vector)
        assert caught.value.code == vector["code"]


def test_the_command_would_write_the_same():
    assert codec_vectors() == VECTORS
