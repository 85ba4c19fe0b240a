"""Damaged files are refused with a code, never with another exception, and all ways of reading agree that they are."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

import neuralgraph as ng
from neuralgraph.errors import CODES
from neuralgraph.storage.decoded import decoded_bytes

sys.path.insert(0, str(Path(__file__).parent))
from corpus import VALID, data_of, name_of
from reseal import reseal

SEEDS = {name_of(row): data_of(row) for row in VALID if row["path"].endswith(".ngr") and len(data_of(row)) < 6_000}
MUTANTS_OF_EACH = 48
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF)


def damage(generator: random.Random, data: bytes) -> bytes:
    """One to three changes: bits, numbers at the edges of their types, moved, lost and repeated pieces."""
    changed = bytearray(data)
    for _ in range(generator.choice((1, 1, 1, 2, 3))):
        at = generator.randrange(len(changed))
        kind = generator.randrange(8)
        if kind == 0:
            changed[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            changed[at] = generator.choice(NUMBERS)
        elif kind == 2:
            changed[at] = (changed[at] + generator.choice((-1, 1))) % 256
        elif kind in (3, 4):
            width = generator.choice((2, 4, 8))
            at -= at % width
            value = generator.choice(
                (b"\x00" * width, b"\xff" * width, b"\xff" * (width - 1) + b"\x7f", b"\x00" * (width - 1) + b"\x80")
            )
            changed[at : at + width] = value[: len(changed) - at]
        elif kind == 5:
            other = generator.randrange(len(changed))
            length = generator.randrange(1, 33)
            changed[at : at + length] = changed[other : other + length][: len(changed) - at]
        elif kind == 6:
            del changed[at : at + generator.choice((1, 4, 8, 16))]
        else:
            changed[at:at] = bytes(generator.choice((1, 4, 8, 16)))
        if not changed:
            return b""
    return bytes(changed)


def mutants(name: str) -> list[bytes]:
    generator = random.Random(f"mutants of {name}")
    data = SEEDS[name]
    plain = [damage(generator, data) for _ in range(MUTANTS_OF_EACH // 4)]
    return plain + [reseal(damage(generator, data)) for _ in range(MUTANTS_OF_EACH - len(plain))]


def test_there_are_enough_of_them():
    assert len(SEEDS) * MUTANTS_OF_EACH >= 2_000


def test_resealing_changes_nothing_that_is_right():
    for name, data in SEEDS.items():
        assert reseal(data) == data, name


@pytest.mark.parametrize("name", SEEDS)
def test_damage_never_surprises(name):
    for number, data in enumerate(mutants(name)):
        form = decoded_bytes(data)
        problems = ng.validate_bytes(data).problems
        assert form["ok"] == (not problems), (number, form, problems)
        if not form["ok"]:
            assert form["code"] in CODES
            assert form["code"] in {problem.code for problem in problems}, (number, form, problems)
        if loads(data):
            # What only a validator looks at: the envelope, sections that nobody asked for, columns of later versions.
            assert form["ok"] or form["code"] in {"E_BUDGET", "E_CRC", "E_COVER"}, (number, form)


def loads(data: bytes) -> bool:
    """Whether the file is a study to the library."""
    try:
        ng.load_bytes(data)
    except ng.NeuralGraphError:
        return False
    return True


def test_the_damage_reaches_many_rules():
    met = {decoded_bytes(data).get("code", "ok") for name in list(SEEDS)[:20] for data in mutants(name)}
    assert len(met) >= 20, met
