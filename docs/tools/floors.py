"""docs/floors.svg: the rooms of the package on their floors, drawn from the contracts of import-linter in pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

__all__ = ["PICTURE", "floors", "picture"]

PICTURE = Path(__file__).parents[1] / "floors.svg"
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_WIDTH, _HEIGHT, _GAP, _MARGIN = 760, 30, 8, 40
_LIGHT, _HEAVY = "#d6efe0", "#dde3f7"


def _contract(kind: str) -> dict[str, Any]:
    contracts = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    return next(contract for contract in contracts if contract["type"] == kind)


def floors() -> list[list[str]]:
    """The rooms of every floor, the ground floor first."""
    return [layer.split(" | ") for layer in reversed(_contract("layers")["layers"])]


def picture() -> str:
    """The drawing as SVG: a row of boxes for every floor, those without heavy libraries in another colour."""
    light = {name.removeprefix("neuralgraph.") for name in _contract("forbidden")["source_modules"]}
    rows = floors()
    height = (len(rows) + 2) * (_HEIGHT + _GAP) + _GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="monospace" font-size="14">',
        "<title>The floors of neuralgraph: a module imports only floors below its own</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
    ]
    for number, rooms in enumerate(rows):
        top = (len(rows) - 1 - number) * (_HEIGHT + _GAP) + _GAP
        lines.append(f'<text x="{_MARGIN - 12}" y="{top + 20}" text-anchor="end" fill="#555">{number}</text>')
        width = (_WIDTH - _MARGIN - _GAP * len(rooms)) / len(rooms)
        for place, room in enumerate(rooms):
            left = _MARGIN + place * (width + _GAP)
            fill = _LIGHT if room in light else _HEAVY
            lines.append(f'<rect x="{left:g}" y="{top}" width="{width:g}" height="{_HEIGHT}" rx="4" fill="{fill}"/>')
            lines.append(f'<text x="{left + width / 2:g}" y="{top + 20}" text-anchor="middle">{room}</text>')
    words = (
        (_LIGHT, "imports no torch, pydicom, matplotlib, ... of its own"),
        (_HEAVY, "may, where it is used; rooms side by side import no other of their floor"),
    )
    for place, (fill, said) in enumerate(words):
        top = (len(rows) + place) * (_HEIGHT + _GAP) + _GAP
        lines.append(f'<rect x="{_MARGIN}" y="{top + 6}" width="18" height="18" rx="4" fill="{fill}"/>')
        lines.append(f'<text x="{_MARGIN + 28}" y="{top + 20}" font-size="13">{said}</text>')
    return "\n".join([*lines, "</svg>", ""])
