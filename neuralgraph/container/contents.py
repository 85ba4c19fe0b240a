"""The table of contents: what records share (``meta``), where sections lie (``layout``); FORMAT.md section 6."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from neuralgraph.container.encode import method_tag
from neuralgraph.container.layout import ALIGNMENT, padding
from neuralgraph.errors import FormatError
from neuralgraph.wire import canonical
from neuralgraph.wire.checksums import PAGE_BYTES, sha256
from neuralgraph.wire.limits import Limits
from neuralgraph.wire.names import is_section_name

__all__ = [
    "CRITICAL",
    "INDEX",
    "KEYS",
    "Contents",
    "Section",
    "pack_contents",
    "parse_contents",
]

CRITICAL = 1
"""Section flag: a reader that does not know the section refuses the file."""

INDEX = "index"
KEYS = "keys"
_CORE_FLAGS = {INDEX: CRITICAL, KEYS: 0}
_SHORT_METHODS = 4_096
"""Bytes of the methods up to which they are remembered."""


@dataclass(frozen=True)
class Section:
    """One entry of the layout."""

    name: str
    flags: int
    offset: int
    """First byte of the payload, from the start of the file."""
    length: int
    """Bytes of the payload, without its page table."""
    table_crc32: int
    """CRC-32 of the page table that follows the payload."""

    @property
    def table_bytes(self) -> int:
        """Bytes of the page table."""
        return 4 * -(-self.length // PAGE_BYTES)

    @property
    def stored_bytes(self) -> int:
        """Bytes of payload, page table and padding."""
        return self.length + self.table_bytes + padding(self.length + self.table_bytes)

    @property
    def end(self) -> int:
        """First byte behind them."""
        return self.offset + self.stored_bytes


@dataclass(frozen=True)
class Contents:
    """A parsed table of contents."""

    sections: dict[str, Section]
    """By name, in file order."""
    methods: dict[int, bytes]
    """Canonical method maps by tag."""
    meta: bytes
    """Canonical bytes of ``meta``, which the root digest covers."""


def pack_contents(methods: list[bytes], sections: list[Section]) -> tuple[bytes, bytes]:
    """Canonical table of contents, and the canonical bytes of its ``meta``.

    Parameters
    ----------
    methods : canonical method maps; stored in ascending order of their SHA-256, each once.
    sections : in file order.

    Raises
    ------
    FormatError (E_METHOD) : two different methods have the same tag.
    """
    ordered = sorted(set(methods), key=sha256)
    if len({method_tag(method) for method in ordered}) != len(ordered):
        raise FormatError("two different methods have the same tag; write them to different files", code="E_METHOD")
    # All files of a conversion have the same methods.
    remember = sum(map(len, ordered)) <= _SHORT_METHODS
    meta, packed = _meta(tuple(ordered)) if remember else _meta.__wrapped__(tuple(ordered))
    layout = {"sections": [[s.name, s.flags, s.offset, s.length, s.table_crc32] for s in sections]}
    return canonical.encode({"layout": layout, "meta": meta}), packed


@lru_cache(maxsize=16)
def _meta(methods: tuple[bytes, ...]) -> tuple[dict[str, Any], bytes]:
    """The value of ``meta``, not to be changed, and its canonical bytes."""
    meta = {"methods": [canonical.decode(method, where="method") for method in methods]}
    return meta, canonical.encode(meta)


def parse_contents(data: bytes, *, toc_offset: int, limits: Limits, n_records: int | None = None) -> Contents:
    """Accept a table of contents whose checksum has been verified.

    Parameters
    ----------
    data : the contents without padding.
    toc_offset : where they stand.
    limits : what to accept.
    n_records : studies of the file, which decide whether it has keys; None leaves that open.

    Raises
    ------
    FormatError (E_TOC_FORM, E_TOC_KEY, E_NAME, E_SECTION, E_RANGE, E_COVER, E_METHOD) : it breaks a rule.
    """
    toc = canonical.decode(data, where="toc")
    layout, meta = _members(toc, "toc", {"layout": dict, "meta": dict}, {})
    (rows,) = _members(layout, "toc.layout", {"sections": list}, {})
    (methods,) = _members(meta, "toc.meta", {"methods": list}, {"ext": dict})[:1]
    limits.check("sections", len(rows), where="toc.layout")
    sections: dict[str, Section] = {}
    end = 0
    for section in map(_section, rows):
        if section.name in sections:
            raise FormatError(f"section {section.name} stands twice", code="E_SECTION", where="toc.layout")
        sections[section.name] = section
    if next(iter(sections), None) != INDEX:
        raise FormatError("the first section is not the index", code="E_SECTION", where="toc.layout")
    for section in sections.values():
        if section.offset % ALIGNMENT or (end and section.offset != end):
            raise FormatError("a section does not begin where the one before ends", code="E_COVER", where=section.name)
        end = section.end
    if end != toc_offset:
        raise FormatError("the sections do not end where the table of contents begins", code="E_COVER", where="toc")
    if n_records is not None and (n_records > 1) != (KEYS in sections):
        reason = "a file of several studies has keys, a file of one has none"
        raise FormatError(reason, code="E_SECTION", where="keys")
    return Contents(sections, _methods(methods), canonical.encode(meta))


def _members(value: Any, where: str, required: dict[str, type], optional: dict[str, type]) -> list[Any]:
    """Values of the required members; refuses unknown, missing and ill-typed ones."""
    if not isinstance(value, dict):
        raise FormatError("not a map", code="E_TOC_KEY", where=where)
    for key, member in value.items():
        wanted = required.get(key) or optional.get(key)
        if wanted is None or not isinstance(member, wanted):
            raise FormatError(f"member {key[:64]!r} is unknown or of the wrong type", code="E_TOC_KEY", where=where)
    for key in required:
        if key not in value:
            raise FormatError(f"member {key!r} is missing", code="E_TOC_KEY", where=where)
    return [value[key] for key in required]


def _section(row: Any) -> Section:
    kinds = (str, int, int, int, int)
    if not isinstance(row, list) or [type(item) for item in row] != list(kinds):
        raise FormatError("a section is not [name, flags, offset, length, crc32]", code="E_TOC_KEY", where="toc.layout")
    section = Section(*row)
    if not is_section_name(section.name):
        raise FormatError("a section has a name outside the grammar", code="E_NAME", where="toc.layout")
    known = section.name in _CORE_FLAGS
    if section.flags not in range(4) or (known and section.flags != _CORE_FLAGS[section.name]):
        raise FormatError(f"wrong flags {section.flags}", code="E_SECTION", where=section.name)
    if not known and section.flags & CRITICAL:
        raise FormatError("a critical section that this reader does not know", code="E_SECTION", where=section.name)
    if min(row[2:]) < 0 or section.length == 0 or section.table_crc32 >= 1 << 32:
        raise FormatError("a section has an impossible extent", code="E_RANGE", where=section.name)
    return section


def _methods(methods: list[Any]) -> dict[int, bytes]:
    encoded = [canonical.encode(method) for method in methods]
    if not all(isinstance(method, dict) for method in methods) or not encoded:
        raise FormatError("methods are not a list of at least one map", code="E_TOC_KEY", where="toc.meta")
    digests = [sha256(method) for method in encoded]
    if any(later <= earlier for earlier, later in pairwise(digests)):
        raise FormatError("methods are not in ascending order of their digests", code="E_METHOD", where="toc.meta")
    tagged = {method_tag(method): method for method in encoded}
    if len(tagged) != len(encoded):
        raise FormatError("two methods have the same tag", code="E_METHOD", where="toc.meta")
    return tagged
