"""What a file of one study costs beyond its streams: at most 640 bytes, the facts of how it was made included."""

from __future__ import annotations

import pytest
from builders import PROVENANCE, build_study

import neuralgraph as ng
from neuralgraph.container.reader import BytesSource, Container

# As long as the compressor's: two digests, every key.
METHOD = {
    "model": {"name": "demo", "digest": "ab" * 8, "trained": True},
    "score": {"rule": "sum", "layer": -1, "heads": "mean"},
    "prune": {"policy": "fraction", "value": 0.023},
    "extractor": {"name": "rules", "version": "1", "fingerprint": "ab" * 8},
}


@pytest.mark.parametrize("embedding", ["exact", "float32", "bfloat16", "float16", "int8"])
@pytest.mark.parametrize("more", [{}, {"report": "heart normal. " * 9, "vectors": 2}], ids=["graph", "everything"])
def test_single_study(embedding, more):
    study = build_study(patches=20, dim=1_024, concepts=5, provenance={**PROVENANCE, **METHOD}, **more)
    data = ng.to_bytes(study, embedding=embedding)
    record = Container(BytesSource(data)).record(0)
    assert len(data) - sum(entry.stored_bytes for entry in record.streams.values()) <= 640
