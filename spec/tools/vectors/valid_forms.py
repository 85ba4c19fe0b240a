"""Files whose matrices have each of the forms (FORMAT.md sections 7.2 and 7.3); planes of svd are written by hand."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuralgraph.codecs.floating import FLOAT32
from neuralgraph.codecs.forms import Matrix
from neuralgraph.codecs.svd import Svd
from neuralgraph.container.encode import encode_record
from neuralgraph.graph.study import Study
from spec.tools.vectors.draft import Draft
from spec.tools.vectors.studies import basic, concept_vectors, draft_of, film, grid_study, ramp
from spec.tools.vectors.vector import Table, each

__all__ = ["plain_forms", "svd_forms", "svd_planes"]


@dataclass(frozen=True)
class _ByHand(Svd):
    """A form that writes given planes, whatever the matrix: no library decides about the bytes of a vector."""

    planes: tuple[bytes, ...] = ()

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        assert tuple(map(len, self.planes)) == self.plane_bytes(*matrix.shape)
        return self.planes


def by_hand(study: Study, planes: Sequence[bytes]) -> Draft:
    """The draft of a study whose embedding has these planes."""
    record = encode_record(study.columns(), embedding=_ByHand(planes=tuple(planes)), concept_vectors=FLOAT32)
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
    upper, bits = b"", ""
    for shift, row in zip(all_shifts, codes, strict=True):
        for code in row:
            unsigned = 2 * code if code >= 0 else -2 * code - 1
            upper += bytes([unsigned >> shift])
            bits += f"{unsigned % 2**shift:0{shift}b}"[::-1] if shift else ""
    lower = int(bits[::-1] or "0", 2).to_bytes(len(upper), "little")
    return [head, struct.pack(f"{len(exponents)}b", *exponents), upper, lower]


def svd_forms() -> Table:
    """Planes of svd, every number chosen."""
    unit = [[127 * (a == b) for b in range(4)] for a in range(4)]
    codes = [[1, -1, 2, 0], [32767, -32767, 300, -300], [5, 6, 7, 8], [-128, 127, -1, 1]]
    plain = svd_planes(1 / 127, [([0, 8, 2, 3], unit)], [0, -1, 3, 1], codes)
    mixing = [[64, 64, 64, 64], [90, -90, 1, -1], [-127, 127, 3, 4], [0, 0, 0, 0]]
    mixed = svd_planes(0.1, [([1, 0, 0, 0], mixing)], [-4, 0, 4, 5], codes[:1] * 3 + [[0, 0, 0, 0]])
    little = [[0, 1, 0, -1], [1, 1, 1, 1], [0] * 4, [-3] * 4]
    small = svd_planes(2.0**-149, [([0] * 4, unit)], [-128, 127, 0, -9], little)
    empty = svd_planes(0.0, [([0] * 4, [[0] * 4] * 4)], [0] * 4, [[0] * 4] * 4)
    rows = 37
    many = grid_study("two groups", [film(6, 7)], rows, ramp(rows, 3))
    groups = []
    for size in (32, 5):
        rotation = [[(7 * a + 11 * b) % 255 - 127 for b in range(size)] for a in range(size)]
        groups.append(([a % 9 for a in range(size)], rotation))
    shifts = [shift for group, _ in groups for shift in group]
    some = [[(row * 997 + col * 31) % 401 - 200 for col in range(3)] for row in range(rows)]
    some = [[code if shift else code % 128 for code in row] for row, shift in zip(some, shifts, strict=True)]
    grouped = svd_planes(0.003, groups, [1, -2, 0], some)
    return {
        "F21 F30 form-svd: components that are the rows, four shifts": by_hand(basic("svd"), plain),
        "F30 svd-mixed: every component in every row, one empty": by_hand(basic("m"), mixed),
        "F30 extremes-svd: the least base, extreme exponents, values that vanish": by_hand(basic("e"), small),
        "F30 svd-zero: a base of 0": by_hand(basic("z"), empty),
        "F30 svd-two-groups: 37 rows: a group of 32 and one of 5, every shift": by_hand(many, grouped),
    }


def plain_forms() -> Table:
    """Files whose matrices have the forms of FORMAT.md section 7.2."""
    with_vectors = {"concept_vectors": concept_vectors([0, 1, 1], 3)}

    def matrix(values: list[list[float]]) -> Study:
        return grid_study("x", [film(2, 2)], 3, np.array(values, np.float32))

    single = [
        [0.0, -0.0],
        [1.401298464324817e-45, -1.1754943508222875e-38],
        [3.4028234663852886e38, -3.4028234663852886e38],
    ]
    half = [[0.0, -0.0], [5.960464477539063e-08, -6.097555160522461e-05], [65504.0, -65504.0]]
    codes = [[0.0, 0.0, 0.0], [-127.0, 127.0, 1.0], [1e-44, -1e-44, 0.0]]
    return {
        **each("F10 F11 F21 R4 form-{value}: embedding and concept vectors as {value}",
            ("float32", "bfloat16", "float16", "int8"),
            lambda form: draft_of(basic(form, **with_vectors), embedding=form, concept_vectors=form)),
        "F10 form-mixed: embedding as int8, concept vectors as bfloat16":
            draft_of(basic("mixed", **with_vectors), embedding="int8", concept_vectors="bfloat16"),
        "F21 F28 extremes-float32: signed zeros, subnormals, largest f32": matrix(single),
        "F21 extremes-float16: signed zeros, subnormals, largest binary16": draft_of(matrix(half), embedding="float16"),
        "F21 extremes-int8: a row of zeros, codes -127 and 127, a subnormal scale":
            draft_of(matrix(codes), embedding="int8"),
    }  # fmt: skip
