"""How long an archive takes and what it weighs: ``python -m bench.sizing``; writes bench/results/sizing.json.

A model, not a measurement: it multiplies what bench/results/stages.json measured for one study on one core and what
bench/results/layout.json measured for one study's bytes. How many studies a GPU passes per second depends on the model
that is used; it is given as a choice, not known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
_ARCHIVES = {"MIMIC-CXR": 377_110, "a year of the world's chest films": 2_000_000_000}
_GPU_RATES = (10, 50, 200)
_GPUS = (1, 8, 64, 1024)
_DAY = 86_400


def model(stages: dict[str, Any], layout: dict[str, Any]) -> dict[str, Any]:
    """Hours, cores and bytes from the measured figures of one study."""
    forward = stages["model_forward_ms"] / 1000
    besides = (stages["ours_without_decode_ms"] + stages["milliseconds"]["decode"]) / 1000
    whole = forward + besides
    wide = layout["measured"]["1024 values"]["files"]
    sizes = {
        "demo model, one file each": stages["file_bytes"],
        "1024 values, bfloat16, packed": wide["bfloat16"]["archive_per_study"],
        "1024 values, int8, packed": wide["int8"]["archive_per_study"],
    }
    return {
        "core_seconds_per_study": {"besides_model": round(besides, 5), "demo_model": round(forward, 5)},
        "films": _ARCHIVES,
        "core_days_with_demo_model": {name: round(count * whole / _DAY, 1) for name, count in _ARCHIVES.items()},
        "cores_to_feed_one_gpu": {str(rate): round(rate * besides, 2) for rate in _GPU_RATES},
        "days_by_gpus": {
            name: {
                str(rate): {str(gpus): round(count / (rate * gpus) / _DAY, 3) for gpus in _GPUS} for rate in _GPU_RATES
            }
            for name, count in _ARCHIVES.items()
        },
        "bytes": {
            name: {form: round(count * size) for form, size in sizes.items()} for name, count in _ARCHIVES.items()
        },
        "bytes_per_study": sizes,
    }


def main() -> None:
    """Compute and write."""
    stages, layout = (json.loads((RESULTS / f"{name}.json").read_text()) for name in ("stages", "layout"))
    result = {
        "command": "python -m bench.sizing",
        "from": {"stages.json": stages["machine"], "layout.json": layout["data"]},
        "assumed": "one film a study; films and files on storage that keeps up; GPUs kept busy",
        **model(stages, layout),
    }
    (RESULTS / "sizing.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
