"""The fixed structures of a file and its extents (FORMAT.md section 3)."""

from __future__ import annotations

from functools import cache

from neuralgraph.errors import ChecksumError, FormatError
from neuralgraph.wire.checksums import crc32
from neuralgraph.wire.fields import Field, Structure
from neuralgraph.wire.limits import MAX_INTEGER

__all__ = [
    "ALIGNMENT",
    "END_MAGIC",
    "MAGIC",
    "MAJOR",
    "PROLOGUE",
    "SYNC",
    "TRAILER",
    "pack_prologue",
    "pack_trailer",
    "padding",
    "parse_magic",
    "parse_prologue",
    "parse_trailer",
]

ALIGNMENT = 8
"""Records, streams and sections begin at multiples of this."""

MAGIC = b"\x89NGR\r\n\x1a\n"
END_MAGIC = b"NGR\x1aEND\n"
SYNC = b"NGRr\xb1\x9d\x5e\xc3"
MAJOR = 1
MINOR = 0

PROLOGUE = Structure(
    Field("magic", "8s"),
    Field("required_features", "Q"),
    Field("optional_features", "Q"),
    Field("major", "B"),
    Field("minor", "B"),
    Field("reserved", "H", equals=0),
    Field("crc32", "I"),
)

TRAILER = Structure(
    Field("toc_offset", "Q"),
    Field("toc_bytes", "I"),
    Field("toc_crc32", "I"),
    Field("file_bytes", "Q"),
    Field("n_records", "I"),
    Field("reserved_1", "I", equals=0),
    Field("total_decoded_bytes", "Q"),
    Field("max_record_decoded_bytes", "I"),
    Field("max_streams", "I"),
    Field("root", "32s"),
    Field("reserved_2", "I", equals=0),
    Field("crc32", "I"),
    Field("end_magic", "8s"),
)


def padding(length: int) -> int:
    """Zero bytes that bring ``length`` to a multiple of ``ALIGNMENT``."""
    return -length % ALIGNMENT


@cache
def pack_prologue() -> bytes:
    """The 32 bytes every file of this version begins with."""
    values: dict[str, int | bytes] = {
        "magic": MAGIC,
        "required_features": 0,
        "optional_features": 0,
        "major": MAJOR,
        "minor": MINOR,
    }
    body = PROLOGUE.pack(**values, crc32=0)[: PROLOGUE.offset("crc32")]
    return PROLOGUE.pack(**values, crc32=crc32(body))


def parse_magic(data: bytes) -> None:
    """Accept the first eight bytes of a file.

    Raises
    ------
    FormatError (E_MAGIC) : not an .ngr file.
    """
    if data != MAGIC:
        raise FormatError("this is not an .ngr file", code="E_MAGIC", where="prologue")


def parse_prologue(data: bytes) -> None:
    """Accept a prologue.

    Raises
    ------
    FormatError (E_MAGIC) : not an .ngr file.
    FormatError (E_PROLOGUE) : damaged, reserved bits set, or another major version.
    FormatError (E_FEATURE) : a required feature is not known.
    """
    parse_magic(data[:8])
    if crc32(data[: PROLOGUE.offset("crc32")]) != int.from_bytes(data[PROLOGUE.offset("crc32") :], "little"):
        raise ChecksumError("the prologue is damaged", code="E_PROLOGUE", where="prologue")
    values = PROLOGUE.unpack(data, code="E_PROLOGUE", where="prologue")
    if values["major"] != MAJOR:
        reason = f"the file has format version {values['major']}, this reader knows version {MAJOR}"
        raise FormatError(reason, code="E_PROLOGUE", where="prologue")
    if values["required_features"]:
        reason = f"the file requires features 0x{values['required_features']:x} that this reader does not have"
        raise FormatError(reason, code="E_FEATURE", where="prologue")


def pack_trailer(**values: int | bytes) -> bytes:
    """The 96 bytes every file ends with; ``values`` are the fields of ``TRAILER`` without checksum and magic."""
    body = TRAILER.pack(**values, crc32=0, end_magic=END_MAGIC)[: TRAILER.offset("crc32")]
    return TRAILER.pack(**values, crc32=crc32(body), end_magic=END_MAGIC)


def parse_trailer(data: bytes, file_bytes: int) -> dict[str, int]:
    """Fields of a trailer that ends a file of ``file_bytes`` bytes; ``root`` is left to ``data[48:80]``.

    Raises
    ------
    FormatError (E_TRUNCATED, E_TRAILING) : the file is shorter or longer than it was written.
    FormatError (E_TRAILER) : damaged, or reserved bytes set.
    FormatError (E_OVERFLOW) : an integer exceeds 2^53 - 1.
    """
    if data[-8:] != END_MAGIC:
        reason = "the file does not end with a trailer: it is truncated, or something was appended"
        raise FormatError(reason, code="E_TRUNCATED", where="trailer")
    crc_offset = TRAILER.offset("crc32")
    if crc32(data[:crc_offset]) != int.from_bytes(data[crc_offset : crc_offset + 4], "little"):
        raise ChecksumError("the trailer is damaged", code="E_TRAILER", where="trailer")
    values = TRAILER.unpack(data, code="E_TRAILER", where="trailer")
    numbers = {name: value for name, value in values.items() if isinstance(value, int)}
    for name, value in numbers.items():
        if value > MAX_INTEGER:
            raise FormatError(f"{name} exceeds 2^53 - 1", code="E_OVERFLOW", where="trailer")
    stated = numbers["file_bytes"]
    if stated != file_bytes:
        code = "E_TRUNCATED" if stated > file_bytes else "E_TRAILING"
        raise FormatError(f"the trailer says {stated} bytes, the file has {file_bytes}", code=code, where="trailer")
    return numbers
