"""``python -m docs.tools [--check]``: write the made pages of docs, or say which are not what they are made of."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.tools import attacks, floors, front_page, measurements

__all__ = ["ROOT", "main", "texts"]

ROOT = Path(__file__).parents[2]


def texts() -> dict[Path, str]:
    """Text of every made page by its path."""
    return {
        **{measurements.PAGES / name: text for name, text in measurements.pages().items()},
        front_page.PAGE: front_page.page(),
        attacks.PAGE: attacks.page(),
        floors.PICTURE: floors.picture(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(prog="python -m docs.tools", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args(arguments)
    made = texts()
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    left = sorted(set(measurements.PAGES.glob("*.md")) - made.keys())
    for path in left:
        sys.stderr.write(f"{path.relative_to(ROOT)}: not made of any results\n")
    if options.check:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(ROOT)}: missing or stale\n")
        return int(bool(stale or left))
    for path in stale:
        path.write_text(made[path], encoding="utf-8", newline="\n")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
