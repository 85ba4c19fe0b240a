"""The reader of some 130 lines reads every valid vector as the others do, and notices damage."""

from __future__ import annotations

import importlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "spec" / "vectors"
WORDS = json.loads((ROOT / "spec" / "vocabulary.json").read_bytes())
VALID = [row for row in json.loads((VECTORS / "index.json").read_bytes())["vectors"] if "expected" in row]


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    return importlib.import_module("trusting_reader")


@pytest.mark.parametrize("row", VALID, ids=lambda row: row["path"])
def test_it_reads_what_the_file_means(reader, row):
    found = [decoded(each) for each in reader.studies((VECTORS / row["path"]).read_bytes())]
    assert json.loads(json.dumps(found)) == json.loads((VECTORS / row["expected"]).read_bytes())["studies"]


@pytest.mark.parametrize("name", ["index-byte", "index-table", "stream-graph", "stream-plane"])
def test_it_does_not_read_damaged_bytes(reader, name):
    with pytest.raises(SystemExit, match="E_CRC"):
        list(reader.studies((VECTORS / "invalid" / "E_CRC" / f"{name}.ngr").read_bytes()))


def test_it_is_short():
    text = (ROOT / "examples" / "trusting_reader.py").read_text(encoding="utf-8")
    assert "import neuralgraph" not in text
    assert len([line for line in text.splitlines() if line.strip()]) <= 145


def f32(values):
    return np.asarray(values, "<f4").tobytes().hex()


def map_value(value):
    match value:
        case dict():
            return {"map": [[key, map_value(each)] for key, each in value.items()]}
        case list():
            return [map_value(each) for each in value]
        case float():
            return {"f64": struct.pack(">d", value).hex()}
        case bytes():
            return {"bytes": value.hex()}
    return value


def decoded(study):
    """The decoded form (spec/decoded-form.md) of what the reader gives."""
    g, n = study.columns, study.counts

    def concept(number):
        return {
            "label": WORDS["concept_label"][g.concept_label[number]],
            "start": int(g.concept_start[number]),
            "end": int(g.concept_end[number]),
            "section": WORDS["report_section"][g.concept_section[number]],
            "vector": int(g.concept_vector[number]) if n.vectors else None,
        }

    form = {
        "id": study.id,
        "digest": study.digest.hex(),
        "views": [
            {
                **{name: int(getattr(g, f"view_{name}")[number]) for name in ("rows", "cols", "height", "width")},
                **{
                    name: f32(getattr(g, f"view_{name}")[number])
                    for name in ("patch_height", "patch_width", "score_step")
                },
                "position": WORDS["view_position"][g.view_position[number]],
                "attention": f32(attention),
            }
            for number, attention in enumerate(study.attention)
        ],
        "patches": {
            "count": n.patches,
            "width": n.width,
            **{name: getattr(study, name).tolist() for name in ("view", "row", "col")},
            "score": f32(g.patch_score),
            "embedding": f32(study.embedding),
        },
        "edges": g.edge.reshape(-1, 2).tolist(),
        "concepts": [{"text": text, **concept(number)} for number, text in enumerate(study.concepts)],
        "mentions": [
            {
                "concept": int(g.mention_concept[number]),
                "label": WORDS["concept_label"][g.mention_label[number]],
                "section": WORDS["report_section"][g.mention_section[number]],
                "start": int(g.mention_start[number]),
                "end": int(g.mention_end[number]),
            }
            for number in range(n.mentions)
        ],
        "concept_vectors": {"count": n.vectors, "width": n.vector_width, "values": f32(study.concept_vectors)},
        "triples": [
            [int(g.triple_head[number]), WORDS["relation"][g.triple_relation[number]], int(g.triple_tail[number])]
            for number in range(n.triples)
        ],
        "fusion": [int(g.fusion_patch[0]), int(g.fusion_concept[0])] if n.fusion else None,
        "labels": [[name, f32(value)] for name, value in zip(study.labels, g.label_value, strict=True)],
        "provenance": {"method": map_value(study.method), "source": map_value(study.source)},
        "report": study.report,
        "pixels": None,
        "extensions": [{"name": name, "payload": data.hex()} for name, data in study.extensions.items()],
    }
    if study.pixels is not None:
        _, height, width = study.pixels.shape
        size = study.pixels.itemsize
        values = study.pixels.tobytes().hex()
        form["pixels"] = {"height": height, "width": width, "bytes_per_pixel": size, "values": values}
    if study.words is not None:
        words = study.words
        form["word_attention"] = {
            "spans": words.spans.tolist(), "step": f32(words.step), "attention": f32(words.maps)
        }  # fmt: skip
    return form
