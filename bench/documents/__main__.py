"""``python -m bench.documents [--check]``: write the pages, or compare them with what the results give."""

from __future__ import annotations

import argparse
import sys

from bench.documents import FRONT_PAGE, PAGES, front_page, pages


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        here = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
        return 0 if here == pages() and FRONT_PAGE.read_text(encoding="utf-8") == front_page() else 1
    PAGES.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (PAGES / name).write_text(text, encoding="utf-8")
    FRONT_PAGE.write_text(front_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
