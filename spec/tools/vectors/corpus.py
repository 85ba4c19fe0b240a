"""The corpus as a whole: every file of spec/vectors and its index."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import zstandard

from neuralgraph.graph.study import Study
from neuralgraph.storage.decoded import decoded_bytes
from spec.tools.vectors.invalid_contents import CONTENTS, SECTIONS
from spec.tools.vectors.invalid_framing import FRAMING
from spec.tools.vectors.invalid_meaning import MEANING
from spec.tools.vectors.invalid_records import RECORDS
from spec.tools.vectors.invalid_streams import STREAMS
from spec.tools.vectors.studies import draft_of
from spec.tools.vectors.valid import VALID

__all__ = ["corpus_files", "decoded_text"]

GENERATOR = 1
"""Raised when a released vector had to change; adding vectors does not raise it."""

TABLES = (*VALID, *FRAMING, *CONTENTS, *SECTIONS, *RECORDS, *STREAMS, *MEANING)
"""Behind the valid files those with one rule broken, in the order in which a reader meets the rules (section 11)."""


def decoded_text(form: dict[str, Any]) -> str:
    """A decoded form as text: a line per member of a study, so that differences can be read."""
    studies = []
    for study in form["studies"]:
        members = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=True)}" for key, value in study.items()]
        studies.append("{\n" + ",\n".join(members) + "\n}")
    return '{"ok": true, "studies": [\n' + ",\n".join(studies) + "\n]}\n"


def corpus_files() -> dict[str, bytes]:
    """Path below spec/vectors -> content, the index last.

    The expected values of valid vectors come from this package's reader; that they are right is what the second reader
    in spec/ and the hand-computed tests are for.

    Raises
    ------
    ValueError : two vectors have one path, or this package's reader does not agree with what a vector expects.
    """
    files: dict[str, bytes] = {}
    rows = []
    for title, file in (row for table in TABLES for row in table().items()):
        head, reason = title.split(": ", 1)
        *requirements, name = head.split()
        code = requirements.pop(0) if requirements[0].startswith("E_") else None
        path = f"valid/{name}" if code is None else f"invalid/{code}/{name}"
        if f"{path}.ngr" in files:
            raise ValueError(f"two vectors are called {path}")
        draft = draft_of(file) if isinstance(file, Study) else file
        files[f"{path}.ngr"] = data = draft if isinstance(draft, bytes) else draft.pack()
        form = decoded_bytes(data)
        if form.get("code") != code:
            raise ValueError(f"{path}: expected {code}, the reader says {form}")
        row = {"path": f"{path}.ngr", "sha256": hashlib.sha256(data).hexdigest()}
        if code is None:
            files[f"{path}.json"] = expected = decoded_text(form).encode()
            row |= {"expected": f"{path}.json", "expected_sha256": hashlib.sha256(expected).hexdigest()}
        else:
            row["code"] = code
        rows.append({**row, "reason": reason, "requirements": sorted(set(requirements), key=_natural)})
    about = {
        "format": "ngr 1.0",
        "provenance": {
            "command": "python -m spec.tools",
            "generator": GENERATOR,
            "zstd": ".".join(map(str, zstandard.ZSTD_VERSION)),
        },
    }
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    files["index.json"] = (json.dumps(about, indent=1)[:-2] + ',\n "vectors": [\n' + lines + "\n]}\n").encode()
    return files


def _natural(requirement: str) -> tuple[str, int]:
    return requirement[0], int(requirement[1:])
