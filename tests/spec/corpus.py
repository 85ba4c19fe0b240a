"""The committed corpus, for tests."""

from __future__ import annotations

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"
INDEX = json.loads((FOLDER / "index.json").read_bytes())
ROWS = INDEX["vectors"]
VALID = [row for row in ROWS if "code" not in row]
INVALID = [row for row in ROWS if "code" in row]


def name_of(row: dict[str, str]) -> str:
    return row["path"].removesuffix(".ngr")


def data_of(row: dict[str, str]) -> bytes:
    return (FOLDER / row["path"]).read_bytes()
