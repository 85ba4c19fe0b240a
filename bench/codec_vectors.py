"""Vectors of each codec on its own: ``python -m bench.codec_vectors`` writes codecs/NAME/vectors.json, once.

A decoder of one codec can be tried on them without a reader of files. Planes and frames are laid out by hand where a
form allows it; what they decode to is what this package says, and the reader in JavaScript is held to the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
from neuralgraph.codecs.codebook import Codebook
from neuralgraph.codecs.dictionary import Dictionary
from neuralgraph.codecs.klt import Klt

from bench.vectors.studies import REPORT, basic
from bench.vectors.valid_encodings import DICTIONARY, REPORT_TEXT, named, number, raw_block, short
from bench.vectors.valid_forms import codebook, int4_planes, klt_planes, svd_planes
from neuralgraph.codecs import zstd
from neuralgraph.codecs.registry import (
    BYTE_CODECS,
    FORMS,
    SHORT_NUMBERS,
    STORE,
    ZSTD,
    ZSTD_DICTIONARY,
    Surroundings,
    decode_bytes,
)
from neuralgraph.errors import CodecError
from neuralgraph.wire.columns import Counts

__all__ = ["BOOK", "codec_vectors", "decoded", "main"]

BOOK = Path(__file__).parents[1] / "codecs"
EDGES = (0.0, -0.0, 1.0, -1.5, 2.0**-149, -(2.0**-126), 3.4028234663852886e38, 1 / 3)
SMALL = (0.0, -0.0, 1.0, -1.5, 2.0**-24, -(2.0**-14), 65504.0, 0.333251953125)
"""Numbers that binary16 holds."""


def decoded(name: str, vector: dict[str, Any]) -> str:
    """What a vector decodes to, in hexadecimal; f32 values little-endian.

    Raises
    ------
    CodecError : it does not decode.
    """
    if name in FORMS:
        form = FORMS[name].form
        if isinstance(form, Klt):
            book = Codebook.from_bytes(bytes.fromhex(vector["codebook"]), where="vector")
            form = form.for_reader({book.digest: book}.get)
        planes = [bytes.fromhex(plane) for plane in vector["planes"]]
        return form.decode(planes, vector["rows"], vector["width"], where="vector").astype("<f4").tobytes().hex()
    encoding = next(number for number, codec in BYTE_CODECS.items() if codec.name == name)
    counts = Counts(*vector["counts"]) if "counts" in vector else None
    dictionary = Dictionary(bytes.fromhex(vector["dictionary"])) if "dictionary" in vector else None
    around = Surroundings(counts, None if dictionary is None else {dictionary.id: dictionary}.get)
    stored = memoryview(bytes.fromhex(vector["stored"]))
    return bytes(decode_bytes(encoding, stored, vector["decoded_bytes"], where="vector", surroundings=around)).hex()


def codec_vectors() -> dict[str, list[dict[str, Any]]]:
    """Name of a codec -> vectors, each with what it decodes to (``decoded``) or the code it is refused with."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, vector in _all():
        try:
            outcome = {"decoded": decoded(name, vector)}
        except CodecError as error:
            outcome = {"code": error.code}
        found.setdefault(name, []).append({**vector, **outcome})
    return found


def _all() -> Iterator[tuple[str, dict[str, Any]]]:
    for encoding, vectors in _bytes().items():
        for vector in vectors:
            yield BYTE_CODECS[encoding].name, vector
    yield from _forms()


def _stream(stored: bytes, decoded_bytes: int, **more: Any) -> dict[str, Any]:
    return {"stored": stored.hex(), "decoded_bytes": decoded_bytes, **more}


def _bytes() -> dict[int, list[dict[str, Any]]]:
    text = REPORT_TEXT.encode()
    frame = zstd.encode(text)
    study = basic("short")
    stream = study.columns().graph_stream()
    counts = {"counts": list(astuple(study.columns().counts))}
    numbers = short(study)
    bad = short(study, view_rows=number(-1))
    leaning = Dictionary(DICTIONARY).encode(text)
    shared = {"dictionary": DICTIONARY.hex()}
    return {
        STORE: [_stream(b"", 0), _stream(REPORT.encode(), len(REPORT)), _stream(b"abc", 2), _stream(b"abc", 4)],
        ZSTD: [
            _stream(zstd.encode(b""), 0),
            _stream(frame, len(text)),
            _stream(frame, len(text) + 1),
            _stream(frame[:-1], len(text)),
            _stream(frame + b"\0", len(text)),
            _stream(leaning, len(text)),
        ],
        SHORT_NUMBERS: [
            _stream(zstd.encode(numbers), len(stream), **counts),
            _stream(zstd.encode(numbers + b"\0"), len(stream), **counts),
            _stream(zstd.encode(numbers[:-1]), len(stream), **counts),
            _stream(zstd.encode(bad), len(stream), **counts),
            _stream(zstd.encode(stream + b"\0"), len(stream), **counts),
        ],
        ZSTD_DICTIONARY: [
            _stream(leaning, len(text), **shared),
            _stream(named(raw_block(text), text), len(text), **shared),
            _stream(leaning, len(text) - 1, **shared),
            _stream(frame, len(text), **shared),
            _stream(named(raw_block(text), text, dictionary=99_999), len(text), **shared),
        ],
    }


def _planes(rows: int, width: int, planes: Sequence[bytes], **more: Any) -> dict[str, Any]:
    return {"rows": rows, "width": width, "planes": [bytes(plane).hex() for plane in planes], **more}


def _forms() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("float32", "bfloat16", "float16"):
        values = np.array(SMALL if kind == "float16" else EDGES, np.float32).reshape(2, 4)
        if kind == "bfloat16":
            values = (values.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        for name in (kind, f"{kind}_interleaved"):
            planes = FORMS[name].form.encode(values)
            yield name, _planes(2, 4, planes)
            yield name, _planes(2, 4, [b"\xff" * len(plane) for plane in planes])
    codes, scales = bytes([1, 255, 127, 129, 0, 7]), np.array([0.5, 2.0**-149], "<f4").tobytes()
    yield "int8", _planes(2, 3, [codes, scales])
    yield "int8", _planes(2, 3, [b"\x80" + codes[1:], scales])
    yield "int8", _planes(2, 3, [codes, np.array([-1.0, 1.0], "<f4").tobytes()])
    good = int4_planes([[7, -7, 1], [0, 2, -1]], [[0.5], [2.0**100]])
    yield "int4", _planes(2, 3, good)
    yield "int4", _planes(2, 3, [b"\x08" + good[0][1:], good[1]])
    yield "int4", _planes(2, 3, [good[0][:1] + b"\xf1" + good[0][2:], good[1]])
    unit = [[127, 0], [64, -64]]
    good = svd_planes(1 / 127, [([0, 3], unit)], [0, -1, 3], [[1, -1, 2], [300, -300, 7]])
    yield "svd", _planes(2, 3, good)
    yield "svd", _planes(2, 3, [good[0][:4] + b"\x09" + good[0][5:], *good[1:]])
    book = codebook()
    good = klt_planes(book, 2.0**-20, [0, 8, 2, 0], [[1, -1], [32767, -300], [-5, 6], [0, 0]])
    yield "klt", _planes(2, 4, good, codebook=book.hex())
    yield "klt", _planes(2, 4, good, codebook=codebook(1, 2).hex())


def _text(vectors: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(json.dumps(vector) for vector in vectors) + "\n]\n"


def main() -> int:
    """Write what is missing; what exists is never changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check, wrong = parser.parse_args().check, 0
    for name, vectors in codec_vectors().items():
        path = BOOK / name / "vectors.json"
        if path.exists() and path.read_text(encoding="utf-8") == _text(vectors):
            continue
        if path.exists() or check:
            sys.stderr.write(f"codecs/{name}/vectors.json: missing or other than would be written\n")
            wrong = 1
        else:
            path.write_text(_text(vectors), encoding="utf-8")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
