"""What a study may say about its origin: an allow-list (FORMAT.md section 6.3).

Provenance is one flat map to the user. In a file it is two: ``method`` facts are the same for every study of one
conversion and are stored once per file; ``source`` facts belong to one study and are stored in its record.
"""

from __future__ import annotations

import re
from typing import Any

from neuralgraph.errors import Problem
from neuralgraph.wire.vocabulary import REPORT_KINDS

__all__ = ["METHOD_KEYS", "SOURCE_KEYS", "is_extension_name", "join", "problems", "split"]

METHOD_KEYS: dict[str, type] = {
    "model": dict,  # name, digest, trained
    "score": dict,  # rule, layer, heads
    "prune": dict,  # policy, value
    "extractor": dict,  # name, version, fingerprint
}
"""Facts about how the study was made, shared by a conversion."""

SOURCE_KEYS: dict[str, type] = {
    "report": str,  # one of REPORT_KINDS
    "films": list,  # one map per view: format, bits, photometric, lossy history, pixel spacing
    "labeler": str,  # who or what assigned the labels
    "terms": str,  # terms of use that the data came under
}
"""Facts about this study's film and report."""

_EXTENSION_NAME = re.compile(r"x(\.[a-z0-9][a-z0-9-]*){2,}\.[a-z][a-z0-9_-]*", re.ASCII)
_EXTENSION_NAME_BYTES = 255


def is_extension_name(name: str) -> bool:
    """Whether ``name`` is x.<reverse-dns>.<name>, of a length that a record can hold."""
    return len(name) <= _EXTENSION_NAME_BYTES and _EXTENSION_NAME.fullmatch(name) is not None


def split(provenance: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The method map and the source map of a provenance."""
    method = {key: value for key, value in provenance.items() if key in METHOD_KEYS}
    return method, {key: value for key, value in provenance.items() if key not in METHOD_KEYS}


def join(method: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """The flat provenance of a method map and a source map."""
    return {**method, **source}


def problems(method: Any, source: Any) -> list[Problem]:
    """Members that are unknown or of the wrong type (E_TOC_KEY)."""
    found = []
    for name, part, known in (("method", method, METHOD_KEYS), ("source", source, SOURCE_KEYS)):
        if not isinstance(part, dict):
            found.append(Problem("E_TOC_KEY", name, f"the {name} facts are not a map"))
            continue
        for key, value in part.items():
            if key in known:
                if not isinstance(value, known[key]):
                    reason = f"must be a {known[key].__name__}, not a {type(value).__name__}"
                    found.append(Problem("E_TOC_KEY", f"{name}.{key}", reason))
            elif name == "method" or not is_extension_name(key):
                found.append(Problem("E_TOC_KEY", name, f"{key[:64]!r} is not a known provenance key"))
    if isinstance(source, dict) and isinstance(source.get("report"), str) and source["report"] not in REPORT_KINDS:
        found.append(Problem("E_TOC_KEY", "source.report", f"must be one of {', '.join(REPORT_KINDS)}"))
    return found
