"""Pages from results: one of docs/measurements for every chapter, and an index of them.

Every figure of a page stands in its results file.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from docs.tools import chapters as package
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.scorer import DEMO_DIRECTORY

__all__ = ["PAGES", "RESULTS", "chapters", "pages"]

RESULTS = Path(__file__).parents[2] / "bench" / "results"
PAGES = Path(__file__).parents[1] / "measurements"
_FORMER = """*Measured with a demo model that was bundled before this one and learnt from phantoms alone; what it says of the model
holds for that one. [The present one](real.md).*

"""


def chapters() -> dict[str, ModuleType]:
    """The chapters by name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(package.__path__))
    modules = {name: import_module(f"{package.__name__}.{name}") for name in names if not name.startswith("_")}
    return {name: module for name, module in modules.items() if (RESULTS / module.RESULTS).is_file()}


def _is_of_a_former_model(results: dict[str, Any]) -> bool:
    """Whether a model was measured that is called as the bundled one is and is another."""
    found = [results, *(value for value in results.values() if isinstance(value, dict))]
    found += [value for each in found for value in each.values() if isinstance(value, dict)]
    named = [each for each in found if each.get("name", "demo") == "demo" and len(str(each.get("digest", ""))) == 64]
    return bool(named) and model_digest(DEMO_DIRECTORY) not in {each["digest"] for each in named}


def pages() -> dict[str, str]:
    """Text of every page by its file name."""
    note = "Written by `python -m docs.tools` from `bench/results/{}`; do not edit.\n"
    written, lines = {}, []
    for name, chapter in chapters().items():
        results = json.loads((RESULTS / chapter.RESULTS).read_text(encoding="utf-8"))
        text = f"{_FORMER if _is_of_a_former_model(results) else ''}{chapter.write(results).strip()}"
        written[f"{name}.md"] = f"# {chapter.TITLE}\n\n{note.format(chapter.RESULTS)}\n{text}\n"
        lines.append(f"- [{chapter.TITLE}]({name}.md)\n")
    introduction = (
        "Each page is written by `python -m docs.tools` from a file in `bench/results` and names the command that "
    )
    written["index.md"] = f"# Measurements\n\n{introduction}measures it again.\n\n" + "".join(lines)
    return written
