"""Bytes against error and against a downstream probe."""

from __future__ import annotations

from typing import Any

from docs.tools.tables import table

TITLE = "Rate and distortion"
RESULTS = "rate_distortion.json"

DEFAULT = "svd:0.011"
TARGETS = ((0.011, 20_000), (0.06, 12_000))


def write(results: dict[str, Any]) -> str:
    """Text of the chapter."""
    phantoms, wide = results["phantoms"], results["wide"]
    model = phantoms["provenance"]
    parts = [
        f"""Command: `{results["command"]}`. Errors are normalised by the deviation of each channel over the whole collection.
A cosine hides damage: the channels of largest variance own it. `*` marks the Pareto front of bytes and RMSE.

![bytes against error and against the AUC of a probe](rate_distortion.png)

## 20 patches of 1,024 values

{wide["studies"]} studies of real films with real reports, whole files with report graph, attention map and provenance. The encoder
is a Swin-base with random weights, so these are sizes of data of that shape, not a statement about a trained model.

{_settings(wide["settings"], drift=False)}

{_targets(wide["settings"])}

Without loss, against the order-0 entropy of the four byte planes (a coder that knows the frequencies of bytes, but nothing of
their neighbours, gets no further); values that came from half precision are found out and stored in two planes:

{_lossless(wide["lossless"])}
"""
    ]
    for name, part in phantoms.items():
        if name.startswith("retention"):
            parts.append(_retention(name, part, phantoms, results))
    parts.append(
        f"""The encoder of these tables is `{model.get("name")}`, {"trained, as [the page on it](real.md) says" if model.get("trained") else "NOT TRAINED"}
(digest {str(model.get("digest"))[:12]}). The probe is a logistic regression on the mean embedding of a study, for
{", ".join(phantoms["findings"])}; half of the patients train it and half test it, {len(results["probe_seeds"])} splits; the interval is that of patients drawn
anew. It averages over patches, so that rounding errors largely cancel: it bounds what a linear reader of the whole film
loses, not what a model of single patches would.

## The default

`svd` with a loss of 0.011 is the form for one study that needs nothing but its file: {_default(wide["settings"])}. `bfloat16` is the
choice for training at memory speed, `exact` for archives of record.
"""
    )
    return "\n".join(parts)


def _settings(rows: list[dict[str, Any]], *, drift: bool) -> str:
    head = ["form", "file, bytes", "embedding, bytes", "bits per value", "RMSE", "1 - cosine, mean", "largest"]
    body = []
    for row in rows:
        mark = " *" if row["pareto"] else ""
        cells: list[Any] = [f"`{row['setting']}`{mark}", round(row["file_bytes"]), round(row["embedding_bytes"])]
        cells += [
            f"{row['bits_per_value']:.2f}",
            float(row["rmse"]),
            f"{row['cosine_mean']:.1e}",
            f"{row['cosine_max']:.1e}",
        ]
        if drift:
            cells.append(f"{row['auc_drift']:+.4f} ({row['auc_drift_low']:+.4f} to {row['auc_drift_high']:+.4f})")
        body.append(cells)
    return table([*head, "AUC lost (95 %)"] if drift else head, body)


def _targets(rows: list[dict[str, Any]]) -> str:
    lines = []
    for rmse, limit in TARGETS:
        good = [row for row in rows if row["rmse"] <= rmse]
        best = min(good, key=lambda row: row["file_bytes"])
        verdict = "met" if best["file_bytes"] <= limit else "missed"
        lines.append(
            f"- RMSE of at most {rmse} in {limit:,} bytes: {verdict}; `{best['setting']}` takes {best['file_bytes']:,.0f} at {best['rmse']:.4f}."
        )
    return "\n".join(lines)


def _lossless(kinds: dict[str, dict[str, Any]]) -> str:
    body = [
        [
            name,
            round(row["raw_bytes"]),
            round(row["stored_bytes"]),
            f"{row['ratio']:.2f} x",
            f"{row['above_entropy_percent']:+.1f} %",
            f"{row['decode_gb_per_s']:.2f} GB/s",
        ]
        for name, row in kinds.items()
    ]
    return table(["values", "raw, bytes", "stored", "ratio", "against the entropy", "decoding, of f32"], body)


def _retention(name: str, part: dict[str, Any], phantoms: dict[str, Any], results: dict[str, Any]) -> str:
    share = float(name.split()[1])
    return f"""## {part["patches"]:.0f} patches of {phantoms["width"]} values ({share:.1%} kept), trained encoder

{results["studies"]} studies of phantoms; AUC of the probe on exact embeddings {part["auc"]:.3f}.

{_settings(part["settings"], drift=True)}

{_smallest(part["settings"])}
"""


def _smallest(rows: list[dict[str, Any]]) -> str:
    good = [row for row in rows if row["auc_drift"] < 0.005]
    best = min(good, key=lambda row: row["file_bytes"])
    return (
        f"The smallest setting that loses less than 0.005 of AUC is `{best['setting']}`: {best['file_bytes']:,.0f} bytes, "
        f"{best['bits_per_value']:.2f} bits per value."
    )


def _default(rows: list[dict[str, Any]]) -> str:
    row = next(row for row in rows if row["setting"] == DEFAULT)
    return f"{row['file_bytes']:,.0f} bytes at an RMSE of {row['rmse']:.4f}"
