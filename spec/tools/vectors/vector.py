"""What a vector is."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Vector"]


class Vector(NamedTuple):
    """One file of the corpus."""

    name: str
    """File name without suffix."""
    data: bytes
    reason: str
    """One line: what is special about the file, or which rule it breaks."""
    requirements: tuple[str, ...]
    """Requirement ids of FORMAT.md that the file exercises."""
    code: str | None = None
    """The code every reader must refuse it with; None for a valid file."""

    @property
    def path(self) -> str:
        """Place in spec/vectors."""
        return f"valid/{self.name}.ngr" if self.code is None else f"invalid/{self.code}/{self.name}.ngr"
