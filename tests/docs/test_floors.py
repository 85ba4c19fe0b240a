"""The list of rooms in CONTRIBUTING.md is that of the contracts; that the drawing is, ``test_tools`` says."""

from __future__ import annotations

import re
from pathlib import Path

from docs.tools.floors import floors, picture

TEXT = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROOMS = [room for floor in floors() for room in floor]


def test_every_room_is_listed_from_the_ground_up():
    assert re.findall(r"^  (\w+)(?:/|\.py) ", TEXT, re.MULTILINE) == ROOMS


def test_every_room_is_drawn():
    assert re.findall(r'text-anchor="middle">(\w+)<', picture()) == ROOMS
