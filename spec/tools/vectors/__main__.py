"""``python -m spec.tools.vectors``: write spec/vectors, or ``--check`` that what is there is what would be written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spec.tools.vectors.corpus import corpus_files

__all__ = ["main"]

FOLDER = Path(__file__).parents[2] / "vectors"


def main() -> int:
    """Write the corpus. A vector that exists is never changed: readers may have been tested against it."""
    parser = argparse.ArgumentParser(prog="python -m spec.tools.vectors", description=__doc__)
    parser.add_argument("--to", type=Path, default=FOLDER, help="the folder to write (default: spec/vectors)")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args()
    files = corpus_files()
    present = {path.relative_to(options.to).as_posix() for path in options.to.rglob("*") if path.is_file()}
    changed = sorted(p for p in present & files.keys() - {"index.json"} if (options.to / p).read_bytes() != files[p])
    extra = sorted(present - files.keys() - {"README.md"})
    for path in changed:
        sys.stderr.write(
            f"{path}: exists with other bytes; a vector is never overwritten, give the new one a new name\n"
        )
    for path in extra:
        sys.stderr.write(f"{path}: not made by this command\n")
    if options.check:
        missing = sorted(files.keys() - present)
        stale = [] if missing or files["index.json"] == (options.to / "index.json").read_bytes() else ["index.json"]
        for path in missing + stale:
            sys.stderr.write(f"{path}: missing or stale\n")
        return int(bool(changed or extra or missing or stale))
    if changed or extra:
        return 1
    for path, data in files.items():
        target = options.to / path
        if path == "index.json" or not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    sys.stdout.write(f"{len(files)} files, {sum(map(len, files.values())):,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
