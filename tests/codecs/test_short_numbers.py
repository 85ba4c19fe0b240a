"""Byte codec 2: every graph stream has one short form, and nothing else is taken for one."""

from __future__ import annotations

import contextlib
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.codecs import short_numbers, zstd
from neuralgraph.errors import CodecError
from neuralgraph.wire.columns import Counts, graph_bytes, split_graph

ONE_VIEW = Counts(
    **{**{field.name: 0 for field in fields(Counts)}, "n_views": 1, "n_cells": 4, "n_patches": 4, "embedding_dim": 1,
       "n_edges": 1, "text_bytes": 2}
)  # fmt: skip


@st.composite
def graph_streams(draw):
    most = {"n_views": 3, "n_cells": 700, "n_patches": 9, "n_edges": 9, "n_concepts": 6, "n_triples": 6, "n_labels": 3}
    numbers = {name: draw(st.integers(0, limit)) for name, limit in most.items()}
    counts = Counts(
        **numbers,
        embedding_dim=1,
        n_concept_vectors=draw(st.sampled_from((0, 1, 300))),
        concept_dim=1,
        n_fusion=draw(st.integers(0, 1)),
        text_bytes=draw(st.sampled_from((0, 2, 300))),
    )
    seed = draw(st.integers(0, 2**32 - 1))
    stream = np.random.default_rng(seed).integers(0, 256, graph_bytes(counts), dtype=np.uint8)
    if draw(st.booleans()):
        stream &= 0x83
    return counts, stream.tobytes()


@given(graph_streams())
def test_the_short_form_leads_back(given_stream):
    counts, stream = given_stream
    short = short_numbers.shortened(stream, counts)
    assert short_numbers.lengthened(short, counts, where="x") == stream
    frame = short_numbers.encode(stream, counts)
    if frame is None:
        assert len(short) > len(stream)
    else:
        assert short_numbers.decode(memoryview(frame), len(stream), counts, where="x") == stream


@given(graph_streams(), st.integers(0, 10**6), st.integers(1, 255))
def test_what_is_accepted_has_no_other_short_form(given_stream, place, change):
    counts, stream = given_stream
    short = bytearray(short_numbers.shortened(stream, counts))
    short[place % len(short)] ^= change
    with contextlib.suppress(CodecError):
        found = short_numbers.lengthened(bytes(short), counts, where="here")
        assert short_numbers.shortened(found, counts) == short


def test_bytes_by_hand():
    # The page of the codec: 5, 5, 3, 300 as differences 5, 0, -2, 297; zig-zag 10, 0, 3, 594.
    stream = bytearray(graph_bytes(ONE_VIEW))
    columns = split_graph(ONE_VIEW, stream)
    assert columns["patch_cell"].dtype == np.uint8
    at = 2 + 2 + 4 + 4 + 12 + 1 + 4
    stream[at : at + 4] = bytes([5, 5, 3, 255])
    short = short_numbers.shortened(bytes(stream), ONE_VIEW)
    # Rows, columns, height and width of the view are zero: a byte each, then the plain columns.
    start = 4 + 12 + 1 + 4
    assert short[start : start + 5] == bytes([10, 0, 3, 0xF8, 0x03])


@pytest.mark.parametrize("cut", [0, 1, 3, 20])
def test_a_stream_that_ends_early_is_refused(cut):
    short = short_numbers.shortened(bytes(graph_bytes(ONE_VIEW)), ONE_VIEW)
    with pytest.raises(CodecError, match="E_FILTER"):
        short_numbers.lengthened(short[:cut], ONE_VIEW, where="x")


def test_more_content_than_the_graph_stream_has_is_refused_before_it_is_decoded():
    size = graph_bytes(ONE_VIEW)
    with pytest.raises(CodecError, match="E_SIZE"):
        short_numbers.decode(memoryview(zstd.encode(bytes(size + 1))), size, ONE_VIEW, where="x")
