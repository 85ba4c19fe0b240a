"""What a file of one study costs beyond its streams: at most 640 bytes, the facts of how it was made included."""

from __future__ import annotations

import pytest
from builders import PROVENANCE, build_study

import neuralgraph as ng
from neuralgraph.container.reader import BytesSource, Container

# What the compressor writes, as long as it writes it.
METHOD = {
    "model": {"name": "demo", "digest": "ab" * 16, "trained": True},
    "score": {"rule": "sum", "layer": -1, "heads": "mean"},
    "prune": {"policy": "fraction", "value": 0.023},
    "extractor": {"name": "rules", "version": "1", "fingerprint": "ab" * 8},
}
FURTHER_STREAM = 16 + 7
"""A row of the stream table, and padding."""


def streams_and_overhead(embedding: str, **more: object) -> tuple[int, int]:
    study = build_study(patches=20, dim=1_024, concepts=5, provenance={**PROVENANCE, **METHOD}, **more)
    data = ng.to_bytes(study, embedding=embedding)
    streams = Container(BytesSource(data)).record(0).streams.values()
    return len(streams), len(data) - sum(entry.stored_bytes for entry in streams)


@pytest.mark.parametrize("embedding", ["exact", "bfloat16", "float16", "int8"])
def test_graph_and_embedding(embedding):
    streams, overhead = streams_and_overhead(embedding)
    assert streams == 3
    assert overhead <= 640


@pytest.mark.parametrize("embedding", ["float32", "int8"])
def test_every_further_stream_costs_its_row(embedding):
    streams, overhead = streams_and_overhead(embedding, report="heart normal. " * 9, vectors=2)
    assert streams > 4
    assert overhead <= 640 + FURTHER_STREAM * (streams - 3)
