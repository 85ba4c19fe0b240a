"""The fuzz targets: what each checks, what it starts from, and how much of the time it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from fuzz.mutator import mutate_file
from fuzz.oracles import check_program, check_reading, check_survey
from fuzz.part_seeds import PART_SEEDS
from fuzz.parts import PARTS
from fuzz.seeds import file_seeds, program_seeds

__all__ = ["TARGETS", "Mutator", "Target"]

Mutator = Callable[..., bytes]
"""(data, most bytes, seed, engine=...) to a mutant; see ``fuzz.mutator.mutate_file``."""


class Target(NamedTuple):
    """One fuzz target."""

    check: Callable[[bytes], str]
    """Runs one input; "valid", or the code it is refused with. What it raises is a finding."""
    seeds: Callable[[], Iterator[bytes]]
    share: float
    """Of the time of a run."""
    most_bytes: int
    mutator: Mutator | None = None
    """None for that of the engine."""


TARGETS: dict[str, Target] = {
    "read": Target(check_reading, file_seeds, 0.4, 4_096, mutate_file),
    "survey": Target(check_survey, file_seeds, 0.06, 4_096),
    "interpret": Target(check_program, program_seeds, 0.06, 4_096),
    **{name: Target(check, PART_SEEDS[name], 0.48 / len(PARTS), 1_024) for name, check in PARTS.items()},
}
