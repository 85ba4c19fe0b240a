"""Fixtures for ever: files as this version writes them, kept in tests/fixtures and read by every later version.

``python -m spec.tools.fixtures`` writes the folder of the current version once; it never changes a file that exists.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import neuralgraph as ng
from neuralgraph.graph.words import WordAttention
from neuralgraph.storage.decoded import decoded_bytes
from spec.tools.vectors.corpus import decoded_text
from spec.tools.vectors.studies import MENTIONS, REPORT, basic, concept_vectors, film, grid_study, ramp, textual

__all__ = ["fixtures", "main"]

FOLDER = Path(__file__).parents[2] / "tests" / "fixtures"


def fixtures() -> dict[str, bytes]:
    """File name -> bytes, as the public functions of this version write them."""
    everything: dict[str, Any] = {
        "report": REPORT,
        "pixels": np.arange(48, dtype=np.uint16).reshape(4, 3, 4) * 1_000,
        "extensions": {"x.org.example.vitals": b"\x01\x02"},
        "concept_vectors": concept_vectors([0, 1, 1], 4),
        "mentions": MENTIONS,
        "word_attention": WordAttention.from_maps([0, 4], [3, 9], np.arange(24).reshape(2, 12)),
    }
    whole = basic("everything", **everything)
    views = grid_study("two views", [film(4, 5), film(3, 3, seed=4, position="LATERAL")], 9, ramp(9, 8))
    files = {
        f"{form}.ngr": ng.to_bytes(whole, embedding=form)
        for form in ("exact", "float32", "bfloat16", "float16", "int8", "svd", "svd:0.06")
    }
    files["views.ngr"] = ng.to_bytes(views)
    files["train.ngr"] = ng.to_bytes(whole, embedding="bfloat16", profile="train")
    several = [whole, views, textual("text only", report=REPORT, provenance={"report": "given"})]
    files["archive.ngr"] = ng.to_bytes(several)
    same_width = [basic(f"study {number}", report=f"{REPORT} Film {number}.") for number in range(5)]
    files["archive-train.ngr"] = ng.to_bytes(same_width, profile="train")
    return {name.replace(":", "-"): data for name, data in files.items()}


def main() -> int:
    """Write the folder of this version, unless it exists."""
    folder = FOLDER / ng.__version__
    if folder.exists():
        sys.stderr.write(f"tests/fixtures/{ng.__version__} exists; fixtures are never overwritten\n")
        return 1
    files = fixtures()
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
        form = decoded_bytes(data)
        (folder / name).with_suffix(".json").write_text(decoded_text(form), encoding="utf-8")
    digests = {
        name: [study["digest"] for study in json.loads((folder / name).with_suffix(".json").read_text())["studies"]]
        for name in files
    }
    (folder / "digests.json").write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
