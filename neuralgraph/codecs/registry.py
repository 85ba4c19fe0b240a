"""The shelf: every codec this version has, in literal tables that dispatch, documents and tests read alike.

A file can only name what stands here; nothing is imported, registered or overridden at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, TypeAlias

from neuralgraph.codecs import dictionary, short_numbers, store, zstd
from neuralgraph.codecs.dictionary import DictionaryLookup
from neuralgraph.codecs.floating import (
    BFLOAT16,
    BFLOAT16_INTERLEAVED,
    FLOAT16,
    FLOAT16_INTERLEAVED,
    FLOAT32,
    FLOAT32_INTERLEAVED,
)
from neuralgraph.codecs.forms import Buffer, Form, Matrix
from neuralgraph.codecs.int4 import INT4
from neuralgraph.codecs.int8 import INT8
from neuralgraph.codecs.klt import KLT
from neuralgraph.codecs.svd import SVD
from neuralgraph.errors import CodecError, StudyError
from neuralgraph.wire.columns import Counts

__all__ = [
    "BYTE_CODECS",
    "FORMS",
    "PRIVATE_ENCODINGS",
    "SHORT_NUMBERS",
    "STORE",
    "ZSTD",
    "ZSTD_DICTIONARY",
    "ByteCodec",
    "ByteDecoder",
    "ExtraCodecs",
    "FormEntry",
    "Surroundings",
    "check_extra_codecs",
    "decode_bytes",
    "exact_form",
    "form_of_stream",
    "interleaved_form",
]

STORE = 0
ZSTD = 1
SHORT_NUMBERS = 2
ZSTD_DICTIONARY = 3


class ByteDecoder(Protocol):
    """Undoes a lossless bytes-to-bytes codec."""

    def __call__(self, stored: memoryview, decoded_bytes: int, *, where: str) -> Buffer:
        """The decoded bytes, exactly ``decoded_bytes`` of them."""


class Surroundings(NamedTuple):
    """What a stream may lean on; some encodings are for certain streams only."""

    graph_counts: Counts | None = None
    """Counts of the record, for its graph stream; None for every other."""
    find_dictionary: DictionaryLookup | None = None
    """The dictionaries of the file, for a graph stream and a report; None for every other."""


class ByteCodec(NamedTuple):
    """A lossless bytes-to-bytes codec."""

    name: str
    decode: Callable[[memoryview, int, Surroundings, str], Buffer]
    """(stored, decoded_bytes, surroundings, where) -> decoded bytes."""


def _short_numbers(stored: memoryview, decoded_bytes: int, around: Surroundings, where: str) -> Buffer:
    if around.graph_counts is None:
        raise CodecError("only the graph stream has short numbers", code="E_STREAM", where=where)
    return short_numbers.decode(stored, decoded_bytes, around.graph_counts, where=where)


def _zstd_dictionary(stored: memoryview, decoded_bytes: int, around: Surroundings, where: str) -> Buffer:
    if around.find_dictionary is None:
        raise CodecError("only graph stream and report lean on a dictionary", code="E_STREAM", where=where)
    return dictionary.decode(stored, decoded_bytes, around.find_dictionary, where=where)


BYTE_CODECS: dict[int, ByteCodec] = {
    STORE: ByteCodec("store", lambda stored, size, _, where: store.decode(stored, size, where=where)),
    ZSTD: ByteCodec("zstd", lambda stored, size, _, where: zstd.decode(stored, size, where=where)),
    SHORT_NUMBERS: ByteCodec("short_numbers", _short_numbers),
    ZSTD_DICTIONARY: ByteCodec("zstd_dictionary", _zstd_dictionary),
}
"""Encoding id of a stream entry -> codec. Ids are permanent (FORMAT.md section 7.1)."""


class FormEntry(NamedTuple):
    """A numeric form and the stream id offset of its first plane."""

    offset: int
    form: Form


FORMS: dict[str, FormEntry] = {
    entry.form.name: entry
    for entry in (
        FormEntry(0x00, FLOAT32),
        FormEntry(0x04, FLOAT32_INTERLEAVED),
        FormEntry(0x05, BFLOAT16_INTERLEAVED),
        FormEntry(0x06, FLOAT16_INTERLEAVED),
        FormEntry(0x08, BFLOAT16),
        FormEntry(0x0A, FLOAT16),
        FormEntry(0x10, INT8),
        FormEntry(0x12, INT4),
        FormEntry(0x14, SVD),
        FormEntry(0x18, KLT),
    )
}
"""Name -> form. Plane p of a form is stream ``base + offset + p`` of its matrix (FORMAT.md section 7.2)."""


ExtraCodecs: TypeAlias = Mapping[int, ByteDecoder]
"""Decoders for encodings of a private agreement, by id (FORMAT.md section 7.7)."""

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
    encoding: int,
    stored: memoryview,
    decoded_bytes: int,
    *,
    where: str,
    extra_codecs: ExtraCodecs | None = None,
    surroundings: Surroundings | None = None,
) -> Buffer:
    """Decode one stream.

    Raises
    ------
    CodecError (E_STREAM) : the encoding is not known, or not for this stream.
    CodecError (E_SIZE, E_ZSTD, E_FILTER) : the stream breaks the rules of its encoding.
    CodecError (E_DICT) : it leans on a dictionary that is not there.
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
    return codec.decode(stored, decoded_bytes, surroundings or Surroundings(), where)


def form_of_stream(offset: int) -> FormEntry | None:
    """The form one of whose planes has this stream id offset."""
    for entry in FORMS.values():
        if entry.offset <= offset < entry.offset + entry.form.n_planes:
            return entry
    return None


def exact_form(matrix: Matrix) -> Form:
    """The smallest floating form that holds ``matrix`` without any loss."""
    return next((form for form in (BFLOAT16, FLOAT16) if form.holds(matrix)), FLOAT32)


def interleaved_form(form: Form) -> Form:
    """The same values with their bytes together, where the form has byte planes; others as they are."""
    entry = FORMS.get(f"{form.name}_interleaved")
    return form if entry is None else entry.form
