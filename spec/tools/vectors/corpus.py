"""The corpus as a whole: every file of spec/vectors and its index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import zstandard

from neuralgraph.storage.decoded import decoded_bytes
from spec.tools.vectors.invalid_contents import contents_vectors, section_vectors
from spec.tools.vectors.invalid_framing import framing_vectors
from spec.tools.vectors.invalid_maps import map_vectors
from spec.tools.vectors.invalid_meaning import meaning_vectors
from spec.tools.vectors.invalid_records import record_vectors
from spec.tools.vectors.invalid_streams import stream_vectors
from spec.tools.vectors.valid import valid_vectors
from spec.tools.vectors.vector import Table, Vector, vector

__all__ = ["GENERATOR", "corpus_files", "decoded_text", "vectors"]

GENERATOR = 1
"""Raised when a released vector had to change; adding vectors does not raise it."""


FAMILIES: tuple[Callable[[], Table], ...] = (
    valid_vectors,
    # Files with one rule broken, in the order in which a reader meets the rules (FORMAT.md section 11).
    framing_vectors,
    contents_vectors,
    map_vectors,
    section_vectors,
    record_vectors,
    stream_vectors,
    meaning_vectors,
)


def vectors() -> Iterator[Vector]:
    """Every vector; names are unique within a folder."""
    seen: set[str] = set()
    for family in FAMILIES:
        for title, file in family().items():
            each = vector(title, file)
            if each.path in seen:
                raise ValueError(f"two vectors are called {each.path}")
            seen.add(each.path)
            yield each


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
    ValueError : this package's reader does not agree with what a vector expects.
    """
    files: dict[str, bytes] = {}
    rows = []
    for each in vectors():
        form = decoded_bytes(each.data)
        got = None if form["ok"] else form["code"]
        if got != each.code:
            raise ValueError(f"{each.path}: expected {each.code}, the reader says {form}")
        files[each.path] = each.data
        row = {"path": each.path, "sha256": hashlib.sha256(each.data).hexdigest()}
        if each.code is None:
            expected = each.path.removesuffix(".ngr") + ".json"
            files[expected] = decoded_text(form).encode()
            row |= {"expected": expected, "expected_sha256": hashlib.sha256(files[expected]).hexdigest()}
        else:
            row["code"] = each.code
        rows.append({**row, "reason": each.reason, "requirements": sorted(set(each.requirements), key=_natural)})
    head = {
        "format": "ngr 1.0",
        "provenance": {
            "command": "python -m spec.tools",
            "generator": GENERATOR,
            "zstd": ".".join(map(str, zstandard.ZSTD_VERSION)),
        },
    }
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    body = json.dumps(head, indent=1)[:-2] + ',\n "vectors": [\n' + lines + "\n]}\n"
    files["index.json"] = body.encode()
    return files


def _natural(requirement: str) -> tuple[str, int]:
    return requirement[0], int(requirement[1:])
