"""The corpus as a whole: every file of spec/vectors and its index."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import zstandard

from neuralgraph.storage.decoded import decoded_bytes
from spec.tools.vectors.invalid import invalid_vectors
from spec.tools.vectors.valid import valid_vectors
from spec.tools.vectors.vector import Vector

__all__ = ["GENERATOR", "corpus_files", "decoded_text", "vectors"]

GENERATOR = 1
"""Raised when a released vector had to change; adding vectors does not raise it."""


def vectors() -> Iterator[Vector]:
    """Every vector; names are unique within a folder."""
    seen: set[str] = set()
    for vector in (*valid_vectors(), *invalid_vectors()):
        if vector.path in seen:
            raise ValueError(f"two vectors are called {vector.path}")
        seen.add(vector.path)
        yield vector


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
    for vector in vectors():
        form = decoded_bytes(vector.data)
        got = None if form["ok"] else form["code"]
        if got != vector.code:
            raise ValueError(f"{vector.path}: expected {vector.code}, the reader says {form}")
        files[vector.path] = vector.data
        row = {"path": vector.path, "sha256": hashlib.sha256(vector.data).hexdigest()}
        if vector.code is None:
            expected = vector.path.removesuffix(".ngr") + ".json"
            files[expected] = decoded_text(form).encode()
            row |= {"expected": expected, "expected_sha256": hashlib.sha256(files[expected]).hexdigest()}
        else:
            row["code"] = vector.code
        rows.append({**row, "reason": vector.reason, "requirements": sorted(set(vector.requirements), key=_natural)})
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
