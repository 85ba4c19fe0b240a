"""``python -m spec.tools [--check]``: write the files of the specification, or say which are not what they are made of.

A vector that exists is never changed: readers may have been tested against it. Tables, worked example and index follow
what they are made of.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from spec.tools import codec_vectors, tables, worked_example
from spec.tools.vectors.corpus import corpus_files

__all__ = ["ROOT", "VECTORS", "made", "main"]

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "spec" / "vectors"
INDEX = "index.json"


def made() -> tuple[dict[Path, bytes], dict[Path, bytes]]:
    """Path -> content of the vectors, of files and of codecs; and of what follows: tables, worked example, index."""
    files = corpus_files()
    example = worked_example.example(files["valid/smallest.ngr"])
    texts = {tables.FOLDER / name: text for name, text in tables.tables().items()} | {worked_example.PAGE: example}
    following = {VECTORS / INDEX: files.pop(INDEX), **{path: text.encode() for path, text in texts.items()}}
    return {VECTORS / path: data for path, data in files.items()} | codec_vectors.files(), following


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is missing or follows, or compare."""
    parser = argparse.ArgumentParser(prog="python -m spec.tools", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check = parser.parse_args(arguments).check
    fixed, following = made()
    said = {
        path: "exists with other bytes; a vector is never overwritten, give the new one a new name"
        for path, data in fixed.items()
        if path.exists() and path.read_bytes() != data
    }
    here = {path for path in VECTORS.rglob("*") if path.is_file() and path.name != "README.md"}
    said |= dict.fromkeys(sorted(here - fixed.keys() - following.keys()), "not made by this command")
    missing = [path for path in fixed if not path.exists()]
    stale = [path for path, data in following.items() if not path.exists() or path.read_bytes() != data]
    if check:
        said |= dict.fromkeys([*missing, *stale], "missing or stale")
    elif not said:
        for path in [*missing, *stale]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes({**fixed, **following}[path])
    for path, what in said.items():
        sys.stderr.write(f"{path.relative_to(ROOT).as_posix()}: {what}\n")
    return int(bool(said))


if __name__ == "__main__":
    sys.exit(main())
