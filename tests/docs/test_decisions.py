"""Figures of docs/decisions.md that come from committed results are those of the results."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")


def results(name):
    return json.loads((ROOT / "bench" / "results" / f"{name}.json").read_bytes())


def test_what_short_numbers_and_dictionaries_saved():
    kinds = results("graph_stream")["kinds"]
    saved = {form: [kind["archives"][form]["saved_percent"] for kind in kinds.values()] for form in ("exact", "int4")}
    assert f"{min(saved['exact'])} to {max(saved['exact'])} % of an archive with exact" in TEXT
    assert max(kinds, key=lambda name: kinds[name]["archives"]["int4"]["saved_percent"]) == "phantoms, 6 patches"
    low, high, highest = sorted(saved["int4"])
    assert f"up to {highest} % only where 6 patches" in TEXT
    assert f"{low} to {high} % in the other two" in TEXT
    times = [kind["decode_microseconds"] for kind in kinds.values()]
    slow = [each["short_numbers"] for each in times if "short_numbers" in each]
    quick = [each["zstd"] for each in times]
    assert f"{min(slow):.0f} to {max(slow):.0f} microseconds, without {min(quick):.0f} to {max(quick):.0f}" in TEXT


def test_what_int4_is_beaten_by():
    for better, int4 in results("int4")["kinds"].values():
        for row in (better, int4):
            assert f"{row['file_bytes']:,.0f} at" in TEXT or f"{row['file_bytes']:,.0f} bytes at" in TEXT
            assert f"{row['rmse']:.3f}" in TEXT
        assert better["rmse"] < int4["rmse"]
        assert better["file_bytes"] < int4["file_bytes"] + 1


def test_what_svd_owns():
    rows = {row["setting"]: row for row in results("rate_distortion")["wide"]["settings"]}
    svd = [row["file_bytes"] for name, row in rows.items() if name.startswith("svd")]
    assert all(row["pareto"] for name, row in rows.items() if name.startswith("svd"))
    between = [n for n, row in rows.items() if row["pareto"] and min(svd) <= row["file_bytes"] <= max(svd)]
    assert all(name.startswith("svd") for name in between)
    assert f"from {min(svd):,.0f} to {max(svd):,.0f} bytes" in TEXT


def test_what_planes_and_records_cost():
    measured = results("layout")["measured"].values()
    kinds = [each["embedding"][form] for each in measured for form in ("float32", "bfloat16", "float16")]
    together = [100 * (1 - sizes["stream_per_plane"] / sizes["one_frame_interleaved"]) for sizes in kinds]
    planes = [gain for each in measured for gain in each["gain_of_stream_per_plane_percent"].values()]
    assert f"{min(together):.1f} to {max(together):.1f} % smaller than interleaved" in TEXT
    assert f"{min(planes):.1f} to {max(planes):.1f} % than planes in one frame" in TEXT
    chunks = [-each["gain_of_chunks_of_64_percent"] for each in measured]
    assert f"larger by {min(chunks):.1f} to {max(chunks):.1f} %" in TEXT
