"""docs/attacks.md: every abuse of a file that was tried, and the error it ends in.

The abuses are those that audits and fuzzers found in other formats; the files are the invalid vectors of spec/vectors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

__all__ = ["ATTACKS", "INDEX", "PAGE", "page"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "attacks.md"
INDEX = ROOT / "spec" / "vectors" / "index.json"


class Attack(NamedTuple):
    """One kind of abuse."""

    what: str
    why: str
    """What it did, or does, elsewhere."""
    codes: tuple[str, ...]


ATTACKS = (
    Attack(
        "Another kind of file, or a file with something before it",
        "polyglots: HDF5 searches, DICOM skips",
        ("E_MAGIC",),
    ),
    Attack("A prologue of another version, with reserved bits, or damaged", "readers that guess", ("E_PROLOGUE",)),
    Attack("A feature that must be known", "old readers that read on", ("E_FEATURE",)),
    Attack("A file that ends early, or is empty", "internal checks, crashes", ("E_TRUNCATED",)),
    Attack("Something appended", "payloads behind the end", ("E_TRAILING",)),
    Attack("A trailer that is damaged or has reserved bytes", "sizes nobody checked", ("E_TRAILER",)),
    Attack("Gaps, overlaps, dirty padding", "overlap bombs, hiding places", ("E_COVER",)),
    Attack("Offsets and lengths outside the file, or misaligned", "reads past a buffer", ("E_RANGE",)),
    Attack("Contents that are damaged, or larger than allowed", "footers of gigabytes", ("E_TOC_CRC", "E_TOC_SIZE")),
    Attack(
        "Maps with a second encoding: duplicate keys, long forms, NaN, depth",
        "two readers, two meanings",
        ("E_TOC_FORM",),
    ),
    Attack("Members nobody defined", "smuggled metadata", ("E_TOC_KEY",)),
    Attack("Sections twice, unknown and critical, or with wrong flags", "last one wins", ("E_SECTION",)),
    Attack("Names with control characters, paths or no grammar", "injection into tools behind", ("E_NAME",)),
    Attack("An index that contradicts itself or the file", "reads of another study", ("E_INDEX",)),
    Attack("Record headers and counts that contradict each other or the index", "products that wrap", ("E_RECORD",)),
    Attack("Streams unsorted, missing, twice, or unknown", "ambiguous content", ("E_STREAM",)),
    Attack("Flipped bits in what is stored", "wrong numbers without an error", ("E_CRC",)),
    Attack("Sizes other than the counts require; expansion beyond belief", "memory taken before a check", ("E_SIZE",)),
    Attack("Numbers beyond 2^53 - 1", "numbers that languages round", ("E_OVERFLOW",)),
    Attack(
        "zstd: several frames, skippable ones, forged sizes, large windows",
        "terabytes asked for, extra data",
        ("E_ZSTD",),
    ),
    Attack("Codec parameters out of range", "overflows inside filters", ("E_FILTER",)),
    Attack("Indices outside their tables", "scatter kernels that write anywhere", ("E_IDX",)),
    Attack("Patches outside their film, or twice in a cell", "boxes that lie", ("E_COORD",)),
    Attack("Edges that are no neighbours, or out of order", "graphs nobody drew", ("E_EDGE",)),
    Attack("Scores, labels, concepts or triples out of order", "prefixes that are no pruning", ("E_ORDER",)),
    Attack("Scores that contradict the attention map", "maps that belong to another study", ("E_ATTENTION",)),
    Attack("Strings that are no UTF-8, not normal, or turn direction", "ids that look alike", ("E_TEXT",)),
    Attack("NaN, infinities, minus zero", "training that diverges", ("E_NUM",)),
    Attack("An id twice in an archive", "one patient hides another", ("E_DUP",)),
    Attack("Methods missing, unordered or with one tag", "facts of another conversion", ("E_METHOD",)),
    Attack(
        "Content, leaf or root other than stated, every CRC-32 right", "tampering that checksums miss", ("E_DIGEST",)
    ),
    Attack("A resource envelope that is not kept", "memory beyond what was promised", ("E_BUDGET",)),
    Attack("More of anything than the limits allow", "exhausted machines", ("E_LIMIT",)),
)
"""Every kind, in the order in which a reader meets them."""


def page() -> str:
    """Text of the page."""
    rows = [row for row in json.loads(INDEX.read_bytes())["vectors"] if "code" in row]
    lines = []
    for number, attack in enumerate(ATTACKS, start=1):
        for code in attack.codes:
            mine = [row for row in rows if row["code"] == code]
            example = mine[0]
            link = f"[{example['reason']}](../spec/vectors/{example['path']})"
            lines.append(f"| {number} | {attack.what} | {attack.why} | `{code}` | {len(mine)} | {link} |")
    head = "| | abuse | what it did elsewhere | refused with | files | for example |\n|---|---|---|---|---|---|"
    return f"""# Attacks

Written by `python -m docs.tools` from `spec/vectors/index.json`; do not edit.

A file of unknown origin may be anything. These are the abuses that audits and fuzzers found in other formats, each tried on
this one: {len(rows)} files in `spec/vectors/invalid`, of which both readers must refuse every one with exactly this code, the one in Python within
64 MiB of memory, importing and starting nothing (`tests/spec`).

{head}
{chr(10).join(lines)}

Encryption and signatures are not part of version 1.0: a file that needs them requires a feature that no reader of it knows. What
random and coverage-guided changes found beyond this list is in [measurements/fuzzing.md](measurements/fuzzing.md).
"""
