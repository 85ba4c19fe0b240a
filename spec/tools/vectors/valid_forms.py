"""Files whose matrices have each of the forms (FORMAT.md sections 7.2 and 7.3); planes of svd are written by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from neuralgraph.codecs.floating import FLOAT32
from neuralgraph.codecs.forms import Buffer, Matrix
from neuralgraph.codecs.registry import FORMS
from neuralgraph.container.encode import encode_record
from neuralgraph.graph.study import Study
from spec.tools.vectors.draft import Draft
from spec.tools.vectors.studies import basic, concept_vectors, draft_of, film, grid_study, ramp, valid_vector
from spec.tools.vectors.vector import Vector

__all__ = ["by_hand", "parts", "plain_vectors", "svd_planes", "svd_vectors"]


@dataclass(frozen=True)
class _ByHand:
    """A form that writes given planes, whatever the matrix: no library decides about the bytes of a vector."""

    name: str
    planes: tuple[bytes, ...]
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


def svd_vectors() -> Iterator[Vector]:
    """All of them."""
    unit = [[127 * (a == b) for b in range(4)] for a in range(4)]
    codes = [[1, -1, 2, 0], [32767, -32767, 300, -300], [5, 6, 7, 8], [-128, 127, -1, 1]]
    plain = svd_planes(1 / 127, [([0, 8, 2, 3], unit)], [0, -1, 3, 1], codes)
    yield valid_vector(
        "form-svd", by_hand(basic("svd"), "svd", plain), "components that are the rows, four shifts", "F21", "F30"
    )
    mixing = [[64, 64, 64, 64], [90, -90, 1, -1], [-127, 127, 3, 4], [0, 0, 0, 0]]
    mixed = svd_planes(0.1, [([1, 0, 0, 0], mixing)], [-4, 0, 4, 5], codes[:1] * 3 + [[0, 0, 0, 0]])
    yield valid_vector("svd-mixed", by_hand(basic("m"), "svd", mixed), "every component in every row, one empty", "F30")
    small = svd_planes(
        2.0**-149, [([0] * 4, unit)], [-128, 127, 0, -9], [[0, 1, 0, -1], [1, 1, 1, 1], [0] * 4, [-3] * 4]
    )
    yield valid_vector(
        "extremes-svd",
        by_hand(basic("e"), "svd", small),
        "the least base, extreme exponents, values that vanish",
        "F30",
    )
    empty = svd_planes(0.0, [([0] * 4, [[0] * 4] * 4)], [0] * 4, [[0] * 4] * 4)
    yield valid_vector("svd-zero", by_hand(basic("z"), "svd", empty), "a base of 0", "F30")
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
    yield valid_vector("svd-two-groups", draft, "37 rows: a group of 32 and one of 5, every shift", "F30")


def plain_vectors() -> Iterator[Vector]:
    """Files whose matrices have the forms of FORMAT.md section 7.2."""
    with_vectors = {"concept_vectors": concept_vectors([0, 1, 1], 3)}
    for form in ("float32", "bfloat16", "float16", "int8"):
        draft = draft_of(basic(form, **with_vectors), embedding=form, concept_vectors=form)
        yield valid_vector(f"form-{form}", draft, f"embedding and concept vectors as {form}", "F10", "F11", "F21", "R4")
    mixed = draft_of(basic("mixed", **with_vectors), embedding="int8", concept_vectors="bfloat16")
    yield valid_vector("form-mixed", mixed, "embedding as int8, concept vectors as bfloat16", "F10")
    edge = np.array(
        [
            [0.0, -0.0],
            [1.401298464324817e-45, -1.1754943508222875e-38],
            [3.4028234663852886e38, -3.4028234663852886e38],
        ],
        np.float32,
    )
    yield valid_vector(
        "extremes-float32",
        draft_of(grid_study("x", [film(2, 2)], 3, edge)),
        "signed zeros, subnormals, largest f32",
        "F21",
        "F28",
    )
    half = np.array([[0.0, -0.0], [5.960464477539063e-08, -6.097555160522461e-05], [65504.0, -65504.0]], np.float32)
    yield valid_vector(
        "extremes-float16",
        draft_of(grid_study("x", [film(2, 2)], 3, half), embedding="float16"),
        "signed zeros, subnormals, largest binary16",
        "F21",
    )
    codes = np.array([[0.0, 0.0, 0.0], [-127.0, 127.0, 1.0], [1e-44, -1e-44, 0.0]], np.float32)
    yield valid_vector(
        "extremes-int8",
        draft_of(grid_study("x", [film(2, 2)], 3, codes), embedding="int8"),
        "a row of zeros, codes -127 and 127, a subnormal scale",
        "F21",
    )
