"""The words of CONTRIBUTING.md are names of the code, and no two modules of a floor have the same one."""

from __future__ import annotations

import re
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import pytest

from docs.tools.floors import floors

ROOT = Path(__file__).parents[2]
_WORDS = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Words")[1].split("\n## ")[0]
NAMES = re.findall(r"`([\w.]+)`", _WORDS)


@pytest.mark.parametrize("name", NAMES)
def test_a_word_is_a_name_of_the_code(name):
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(["neuralgraph", *parts[:length]]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[length:]:
            fields = getattr(found, "__dataclass_fields__", {})
            found = fields[attribute] if attribute in fields else getattr(found, attribute)
        return
    pytest.fail(f"CONTRIBUTING.md names neuralgraph.{name}, which is nothing")


def test_the_glossary_is_not_empty():
    assert len(NAMES) > 20


def test_no_two_modules_of_a_floor_have_one_name():
    for floor in floors():
        modules = defaultdict(list)
        for room in floor:
            for path in (ROOT / "neuralgraph" / room).rglob("*.py"):
                if path.stem != "__init__":
                    modules[path.stem].append(str(path.relative_to(ROOT)))
        twice = {stem: paths for stem, paths in modules.items() if len(paths) > 1}
        assert not twice, floor
