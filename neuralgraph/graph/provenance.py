"""What a study may say about its origin: an allow-list (FORMAT.md section 6.3).

Provenance is one flat map to the user. In a file it is two: ``method`` facts are the same for every study of one
conversion and are stored once per file; ``source`` facts belong to one study and are stored in its record.
"""

from __future__ import annotations

from typing import Any

from neuralgraph.errors import Problem
from neuralgraph.wire.names import is_extension_name
from neuralgraph.wire.vocabulary import REPORT_KINDS

__all__ = ["METHOD_KEYS", "METHOD_MEMBERS", "SOURCE_KEYS", "problems", "split"]

METHOD_KEYS: dict[str, type] = {
    "model": dict,  # name, digest, trained
    "score": dict,  # rule, layer, heads
    "prune": dict,  # policy, value
    "extractor": dict,  # name, version, fingerprint
    "fusion": dict,  # rule, pivots
}
"""Facts about how the study was made, shared by a conversion."""

METHOD_MEMBERS: dict[str, tuple[str, ...]] = {
    "model": ("name", "digest", "trained", "dtype"),
    "score": ("rule", "layer", "heads"),
    "prune": ("policy", "value"),
    "extractor": ("name", "version", "fingerprint"),
    "fusion": ("rule", "pivots"),
}
"""The only members that each of these facts may have."""

SOURCE_KEYS: dict[str, type] = {
    "report": str,  # one of REPORT_KINDS
    "films": list,  # one map per view: format, bits, photometric, lossy history, pixel spacing
    "labeler": str,  # who or what assigned the labels
    "terms": str,  # terms of use that the data came under
    "loss": list,  # one map for each time the embedding was stored with loss: form, bound, largest, rmse, cosine
}
"""Facts about this study's film and report."""


def split(provenance: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The method map and the source map of a provenance."""
    method = {key: value for key, value in provenance.items() if key in METHOD_KEYS}
    return method, {key: value for key, value in provenance.items() if key not in METHOD_KEYS}


def _unknown_members(where: str, value: Any, known: tuple[str, ...] | None) -> list[Problem]:
    unknown = [member for member in value if member not in known] if known else []
    return [Problem("E_TOC_KEY", where, f"{member[:64]!r} is not a known provenance key") for member in unknown]


def problems(method: Any, source: Any, *, n_views: int | None = None) -> list[Problem]:
    """Members that are unknown or of the wrong type (E_TOC_KEY); ``n_views`` films if any, where that is given."""
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
                else:
                    found += _unknown_members(f"{name}.{key}", value, METHOD_MEMBERS.get(key))
            elif name == "method" or not is_extension_name(key):
                found.append(Problem("E_TOC_KEY", name, f"{key[:64]!r} is not a known provenance key"))
    if not isinstance(source, dict):
        return found
    for key in ("films", "loss"):
        rows = source.get(key)
        if isinstance(rows, list) and not all(isinstance(row, dict) for row in rows):
            found.append(Problem("E_TOC_KEY", f"source.{key}", "a row is not a map"))
    films, report = source.get("films"), source.get("report")
    if n_views is not None and isinstance(films, list) and len(films) != n_views:
        found.append(Problem("E_TOC_KEY", "source.films", f"{len(films)} films of a study of {n_views}"))
    if isinstance(report, str) and report not in REPORT_KINDS:
        found.append(Problem("E_TOC_KEY", "source.report", f"must be one of {', '.join(REPORT_KINDS)}"))
    return found
