"""Files whose matrices have a form of FORMAT.md sections 7.3 and 7.4, their planes written by hand."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from neuralgraph.codecs.codebook import Codebook
from neuralgraph.codecs.klt import KLT

from bench.vectors.draft import Draft, SectionDraft, StreamDraft, record_draft
from bench.vectors.studies import basic, concept_vectors, draft_of, film, grid_study, ramp
from bench.vectors.vector import Vector
from neuralgraph.codecs.floating import FLOAT32
from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.codecs.registry import FORMS
from neuralgraph.container.encode import encode_record
from neuralgraph.graph.study import Study

__all__ = [
    "by_hand",
    "codebook",
    "codebook_section",
    "int4_planes",
    "klt_draft",
    "klt_planes",
    "lossy_vectors",
    "parts",
    "svd_planes",
]


@dataclass(frozen=True)
class _ByHand:
    """A form that writes given planes, whatever the matrix: no library decides about the bytes of a vector."""

    name: str
    planes: tuple[bytes, ...]
    interleaved = False
    loss_measure = "largest"

    @property
    def n_planes(self) -> int:
        return len(self.planes)

    def plane_bytes(self, rows: int, width: int) -> tuple[int, ...]:
        return FORMS[self.name].form.plane_bytes(rows, width)

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        assert tuple(map(len, self.planes)) == self.plane_bytes(*matrix.shape)
        return self.planes

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        return FORMS[self.name].form.decode(planes, rows, width, where=where)

    def bound(self, matrix: Matrix) -> float:
        return FORMS[self.name].form.bound(matrix)


def by_hand(study: Study, form: str, planes: Sequence[bytes]) -> Draft:
    """The draft of a study whose embedding has these planes."""
    record = encode_record(study.columns(), embedding=_ByHand(form, tuple(planes)), concept_vectors=FLOAT32)
    return draft_of(study).with_records(record)


def int4_planes(codes: Sequence[Sequence[int]], scales: Sequence[Sequence[float]]) -> list[bytes]:
    """Planes of rows of codes and of scales, the scales exactly bfloat16."""
    packed = b"".join(
        bytes(a & 15 | (b & 15) << 4 for a, b in zip([*row, 0][0::2], [*row, 0][1::2], strict=False)) for row in codes
    )
    return [packed, b"".join(struct.pack("<f", scale)[2:] for row in scales for scale in row)]


def svd_planes(
    base: float,
    groups: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]],
    exponents: Sequence[int],
    codes: Sequence[Sequence[int]],
) -> list[bytes]:
    """Planes of base, (shifts, mixing) of every group, exponents, and the codes of every component."""
    head = struct.pack("<f", base)
    for shifts, mixing in groups:
        head += bytes(shifts) + b"".join(struct.pack(f"{len(row)}b", *row) for row in mixing)
    all_shifts = [shift for shifts, _ in groups for shift in shifts]
    return [head, struct.pack(f"{len(exponents)}b", *exponents), *parts(all_shifts, codes)]


def parts(shifts: Sequence[int], codes: Sequence[Sequence[int]]) -> tuple[bytes, bytes]:
    """The planes of upper and lower parts."""
    upper, bits = b"", ""
    for shift, row in zip(shifts, codes, strict=True):
        for code in row:
            unsigned = 2 * code if code >= 0 else -2 * code - 1
            upper += bytes([unsigned >> shift])
            bits += f"{unsigned % 2**shift:0{shift}b}"[::-1] if shift else ""
    size = len(upper)
    return upper, int(bits[::-1] or "0", 2).to_bytes(size, "little")


def codebook(components: int = 3, width: int = 4) -> bytes:
    """The bytes of a codebook, some numbers of it at the edges of their ranges."""
    basis = [[(7919 * a + 104_729 * b) % 65_535 - 32_767 for b in range(width)] for a in range(components)]
    head = b"NGRKLT\x1a\n" + struct.pack("<II", width, components)
    mean = struct.pack(f"<{width}f", *(value * 0.375 - 1 for value in range(width)))
    deviation = struct.pack(f"<{width}f", *(2.0 ** (3 * value - 6) for value in range(width)))
    return head + mean + deviation + b"".join(struct.pack(f"<{width}h", *row) for row in basis)


def klt_planes(book: bytes, base: float, shifts: Sequence[int], codes: Sequence[Sequence[int]]) -> list[bytes]:
    """Planes of digest and base, the shift of every component, and the codes of every component."""
    return [hashlib.sha256(book).digest() + struct.pack("<f", base), bytes(shifts), *parts(shifts, codes)]


def klt_draft(study_id: str, book: bytes, planes: Sequence[bytes]) -> Draft:
    """A file of the basic study with these planes, and the codebook as a section."""
    draft = draft_of(basic(study_id))
    record = record_draft(draft.records[0])
    record.streams = [stream for stream in record.streams if not 0x20 <= stream.stream_id < 0x60]
    record.streams += [StreamDraft(0x38 + number, 0, plane, len(plane)) for number, plane in enumerate(planes)]
    record.streams.sort(key=lambda stream: stream.stream_id)
    decoded = KLT.for_reader({hashlib.sha256(book).digest(): Codebook.from_bytes(book, where="")}.get)
    embedding = decoded.decode(planes, 4, 4, where="")
    digest = replace(basic(study_id).columns(), embedding=embedding).digest()
    record.fixed = record.fixed[:72] + digest
    draft = draft.with_records(record.pack())
    draft.more_sections = [codebook_section(book)]
    return draft


def codebook_section(book: bytes) -> SectionDraft:
    """The section of a codebook."""
    return SectionDraft(f"codebook_{hashlib.sha256(book).hexdigest()[:16]}", 2, book)


def lossy_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _int4_and_svd()
    yield from _klt()


def _int4_and_svd() -> Iterator[Vector]:
    study = basic("int4", concept_vectors=concept_vectors([0, 1, 1], 3))
    draft = draft_of(study, embedding="int4", concept_vectors="int4")
    yield _valid("form-int4", draft, "embedding and concept vectors as int4, the latter of odd width", "F21", "F29")
    wide = grid_study("wide", [film(2, 2)], 2, ramp(2, 131))
    yield _valid(
        "int4-groups", draft_of(wide, embedding="int4"), "three groups in a row, the last of three values", "F29"
    )
    planes = int4_planes(
        [[7, -7, 1, 0], [0, 0, 0, 0], [1, -1, 2, 3], [7, 7, 7, 7]], [[2.0**-133], [0], [2.0**100], [0.5]]
    )
    draft = by_hand(basic("x"), "int4", planes)
    yield _valid("extremes-int4", draft, "a subnormal scale, a scale of 0, codes 7 and -7, zeros", "F21", "F29")
    unit = [[127 * (a == b) for b in range(4)] for a in range(4)]
    codes = [[1, -1, 2, 0], [32767, -32767, 300, -300], [5, 6, 7, 8], [-128, 127, -1, 1]]
    plain = svd_planes(1 / 127, [([0, 8, 2, 3], unit)], [0, -1, 3, 1], codes)
    yield _valid(
        "form-svd", by_hand(basic("svd"), "svd", plain), "components that are the rows, four shifts", "F21", "F30"
    )
    mixing = [[64, 64, 64, 64], [90, -90, 1, -1], [-127, 127, 3, 4], [0, 0, 0, 0]]
    mixed = svd_planes(0.1, [([1, 0, 0, 0], mixing)], [-4, 0, 4, 5], codes[:1] * 3 + [[0, 0, 0, 0]])
    yield _valid("svd-mixed", by_hand(basic("m"), "svd", mixed), "every component in every row, one empty", "F30")
    small = svd_planes(
        2.0**-149, [([0] * 4, unit)], [-128, 127, 0, -9], [[0, 1, 0, -1], [1, 1, 1, 1], [0] * 4, [-3] * 4]
    )
    yield _valid(
        "extremes-svd",
        by_hand(basic("e"), "svd", small),
        "the least base, extreme exponents, values that vanish",
        "F30",
    )
    empty = svd_planes(0.0, [([0] * 4, [[0] * 4] * 4)], [0] * 4, [[0] * 4] * 4)
    yield _valid("svd-zero", by_hand(basic("z"), "svd", empty), "a base of 0", "F30")
    rows = 37
    many = grid_study("two groups", [film(6, 7)], rows, ramp(rows, 3))
    groups = []
    for size in (32, 5):
        rotation = [[(7 * a + 11 * b) % 255 - 127 for b in range(size)] for a in range(size)]
        groups.append(([a % 9 for a in range(size)], rotation))
    some = [[(row * 997 + col * 31) % 401 - 200 for col in range(3)] for row in range(rows)]
    codes = [
        [code % 128 if shift == 0 else code for code in row]
        for row, shift in zip(some, [s for g in groups for s in g[0]], strict=True)
    ]
    draft = by_hand(many, "svd", svd_planes(0.003, groups, [1, -2, 0], codes))
    yield _valid("svd-two-groups", draft, "37 rows: a group of 32 and one of 5, every shift", "F30")


def _klt() -> Iterator[Vector]:
    book = codebook()
    codes = [[1, -1, 2, 0], [32767, -32767, 300, -300], [-5, 6, -7, 8], [0, 0, 0, 0]]
    draft = klt_draft("klt", book, klt_planes(book, 2.0**-20, [0, 8, 2, 0], codes))
    yield _valid("form-klt", draft, "an embedding in the basis of a codebook of 3 components", "F33", "F34")
    draft = klt_draft("klt", book, klt_planes(book, 0.1, [1, 8, 3, 8], codes))
    draft.more_sections.insert(0, codebook_section(codebook(1, 2)))
    yield _valid("klt-two-codebooks", draft, "a second codebook that no record needs; base 0.1 rounds", "F33", "F34")
    whole = codebook(4, 4)
    full = klt_planes(whole, 0.0, [0] * 4, [[1] * 4] * 4)
    yield _valid("klt-zero", klt_draft("z", whole, full), "as many components as values, a base of 0", "F33", "F34")
    plain = draft_of(basic("without"))
    plain.more_sections = [codebook_section(book)]
    yield _valid("codebook-unused", plain, "a codebook in a file that does not need it", "F33")


def _valid(name: str, draft: Draft, reason: str, *requirements: str) -> Vector:
    return Vector(name, draft.pack(), reason, requirements)
