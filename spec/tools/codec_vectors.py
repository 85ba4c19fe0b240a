"""Vectors of each codec on its own: codecs/NAME/vectors.json.

A decoder of one codec can be tried on them without a reader of files. Planes and frames are laid out by hand where a
form allows it; what they decode to is what this package says, and the reader in JavaScript is held to the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neuralgraph.codecs import zstd
from neuralgraph.codecs.registry import BYTE_CODECS, FORMS, STORE, ZSTD, decode_bytes
from neuralgraph.errors import CodecError
from spec.tools.vectors.studies import REPORT
from spec.tools.vectors.valid_forms import svd_planes

__all__ = ["BOOK", "codec_vectors", "decoded", "files"]

BOOK = Path(__file__).parents[2] / "codecs"
WORDS = "Mild consolidation is no effusion. Enlarged silhouette, right opacity; left lobe normal. "
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
        planes = [bytes.fromhex(plane) for plane in vector["planes"]]
        matrix = FORMS[name].form.decode(planes, vector["rows"], vector["width"], where="vector")
        return matrix.astype("<f4").tobytes().hex()
    encoding = next(number for number, codec in BYTE_CODECS.items() if codec.name == name)
    stored = memoryview(bytes.fromhex(vector["stored"]))
    return bytes(decode_bytes(encoding, stored, vector["decoded_bytes"], where="vector")).hex()


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


def files() -> dict[Path, bytes]:
    """Path -> content of every file of them, a line per vector."""
    return {BOOK / name / "vectors.json": _text(vectors).encode() for name, vectors in codec_vectors().items()}


def _text(vectors: list[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(json.dumps(vector) for vector in vectors) + "\n]\n"


def _all() -> Iterator[tuple[str, dict[str, Any]]]:
    for encoding, vectors in _bytes().items():
        for vector in vectors:
            yield BYTE_CODECS[encoding].name, vector
    yield from _forms()


def _stream(stored: bytes, decoded_bytes: int) -> dict[str, Any]:
    return {"stored": stored.hex(), "decoded_bytes": decoded_bytes}


def _bytes() -> dict[int, list[dict[str, Any]]]:
    text = 3 * WORDS.encode()
    frame = zstd.encode(text)
    raw = (len(text) << 3 | 1).to_bytes(3, "little") + text
    magic, size = b"\x28\xb5\x2f\xfd", (len(text) - 256).to_bytes(2, "little")
    return {
        STORE: [_stream(b"", 0), _stream(REPORT.encode(), len(REPORT)), _stream(b"abc", 2), _stream(b"abc", 4)],
        ZSTD: [
            _stream(zstd.encode(b""), 0),
            _stream(frame, len(text)),
            _stream(magic + b"\x60" + size + raw, len(text)),
            _stream(frame, len(text) + 1),
            _stream(frame[:-1], len(text)),
            _stream(frame + b"\0", len(text)),
            _stream(magic + b"\x61\x07" + size + raw, len(text)),
            _stream(magic + b"\x00\x58" + raw, len(text)),
            _stream(magic + b"\xe0" + b"\xff" * 8 + raw, len(text)),
        ],
    }


def _planes(rows: int, width: int, planes: Sequence[bytes]) -> dict[str, Any]:
    return {"rows": rows, "width": width, "planes": [bytes(plane).hex() for plane in planes]}


def _forms() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("float32", "bfloat16", "float16"):
        values = np.array(SMALL if kind == "float16" else EDGES, np.float32).reshape(2, 4)
        if kind == "bfloat16":
            values = (values.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
        planes = FORMS[kind].form.encode(values)
        yield kind, _planes(2, 4, planes)
        yield kind, _planes(2, 4, [b"\xff" * len(plane) for plane in planes])
    codes, scales = bytes([1, 255, 127, 129, 0, 7]), np.array([0.5, 2.0**-149], "<f4").tobytes()
    yield "int8", _planes(2, 3, [codes, scales])
    yield "int8", _planes(2, 3, [b"\x80" + codes[1:], scales])
    yield "int8", _planes(2, 3, [codes, np.array([-1.0, 1.0], "<f4").tobytes()])
    unit = [[127, 0], [64, -64]]
    good = svd_planes(1 / 127, [([0, 3], unit)], [0, -1, 3], [[1, -1, 2], [300, -300, 7]])
    yield "svd", _planes(2, 3, good)
    yield "svd", _planes(2, 3, [good[0][:4] + b"\x09" + good[0][5:], *good[1:]])
