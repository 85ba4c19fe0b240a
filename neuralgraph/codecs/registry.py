"""The shelf: every codec this version has, in literal tables that dispatch, documents and tests read alike.

A file can only name what stands here; nothing is imported, registered or overridden at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeAlias

from neuralgraph.codecs import zstd
from neuralgraph.codecs.floating import BFLOAT16, FLOAT16, FLOAT32
from neuralgraph.codecs.forms import Buffer, Form, Matrix
from neuralgraph.codecs.int8 import INT8
from neuralgraph.codecs.svd import SVD
from neuralgraph.errors import CodecError, StudyError

__all__ = [
    "BYTE_CODECS",
    "FORMS",
    "FORM_OF_STREAM",
    "PRIVATE_ENCODINGS",
    "STORE",
    "ZSTD",
    "ByteCodec",
    "ByteDecoder",
    "ExtraCodecs",
    "FormEntry",
    "check_extra_codecs",
    "decode_bytes",
    "exact_form",
]

STORE = 0
ZSTD = 1


class ByteDecoder(Protocol):
    """Undoes a lossless bytes-to-bytes codec."""

    def __call__(self, stored: memoryview, decoded_bytes: int, *, where: str) -> Buffer:
        """The decoded bytes, exactly ``decoded_bytes`` of them."""


class ByteCodec(NamedTuple):
    """A lossless bytes-to-bytes codec."""

    name: str
    decode: ByteDecoder


def _stored(stored: memoryview, decoded_bytes: int, *, where: str) -> memoryview:
    """The same bytes, when there are as many as the counts require (codecs/store/SPEC.md)."""
    if len(stored) != decoded_bytes:
        raise CodecError(f"{len(stored)} bytes are stored, {decoded_bytes} are required", code="E_SIZE", where=where)
    return stored


BYTE_CODECS: dict[int, ByteCodec] = {STORE: ByteCodec("store", _stored), ZSTD: ByteCodec("zstd", zstd.decode)}
"""Encoding id of a stream entry -> codec. Ids are permanent; 2 and 3 stay reserved (FORMAT.md section 7.1)."""


class FormEntry(NamedTuple):
    """A numeric form and the stream id offset of its first plane."""

    offset: int
    form: Form


FORMS: dict[str, FormEntry] = {
    entry.form.name: entry
    for entry in (
        FormEntry(0x00, FLOAT32),
        FormEntry(0x08, BFLOAT16),
        FormEntry(0x0A, FLOAT16),
        FormEntry(0x10, INT8),
        FormEntry(0x14, SVD),
    )
}
"""Name -> form. Plane p of a form is stream ``base + offset + p`` of its matrix (FORMAT.md section 7.2)."""

FORM_OF_STREAM = {entry.offset + plane: entry for entry in FORMS.values() for plane in range(entry.form.n_planes)}
"""Offset of a stream id from its matrix's base -> the form one of whose planes it is."""


ExtraCodecs: TypeAlias = Mapping[int, ByteDecoder]
"""Decoders for encodings of a private agreement, by id (FORMAT.md section 7.1)."""

PRIVATE_ENCODINGS = range(0x8000, 0x10000)


def check_extra_codecs(extra_codecs: ExtraCodecs | None) -> ExtraCodecs:
    """The decoders a caller brings along; none by default.

    Raises
    ------
    StudyError (E_FILTER) : an id is not a private one; what stands in the book cannot be replaced.
    """
    for encoding in extra_codecs or {}:
        if encoding not in PRIVATE_ENCODINGS:
            reason = f"encoding {encoding} is not private; extra codecs have ids from 0x8000 to 0xFFFF"
            raise StudyError(reason, code="E_FILTER", where="extra_codecs")
    return extra_codecs or {}


def decode_bytes(
    encoding: int, stored: memoryview, decoded_bytes: int, *, where: str, extra_codecs: ExtraCodecs | None = None
) -> Buffer:
    """Decode one stream.

    Raises
    ------
    CodecError (E_STREAM) : the encoding is not known.
    CodecError (E_SIZE, E_ZSTD) : the stream breaks the rules of its encoding.
    """
    if encoding in PRIVATE_ENCODINGS and extra_codecs and encoding in extra_codecs:
        decoded = extra_codecs[encoding](stored, decoded_bytes, where=where)
        if len(decoded) != decoded_bytes:
            reason = f"the private codec gave {len(decoded)} bytes, {decoded_bytes} are required"
            raise CodecError(reason, code="E_SIZE", where=where)
        return decoded
    codec = BYTE_CODECS.get(encoding)
    if codec is None:
        raise CodecError(f"encoding {encoding} is not known to this version", code="E_STREAM", where=where)
    return codec.decode(stored, decoded_bytes, where=where)


def exact_form(matrix: Matrix) -> Form:
    """The smallest floating form that holds ``matrix`` without any loss."""
    return next((form for form in (BFLOAT16, FLOAT16) if form.holds(matrix)), FLOAT32)
