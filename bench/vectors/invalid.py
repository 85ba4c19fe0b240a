"""Files every reader must refuse, each with one rule broken."""
from collections.abc import Iterator
from bench.vectors.vector import Vector
def invalid_vectors() -> Iterator[Vector]:
    yield from ()
