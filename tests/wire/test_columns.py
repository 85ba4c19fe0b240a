"""Counts and columns: sizes follow from counts, contradictions and limits come before memory."""

from __future__ import annotations

import re
from dataclasses import astuple, fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.errors import FormatError, LimitError
from neuralgraph.wire.columns import GRAPH_COLUMNS, Counts, graph_bytes, index_dtype, split_graph
from neuralgraph.wire.limits import HARD_LIMITS, MAX_INTEGER, Limits, checked_product

FORMAT = Path(__file__).parents[2] / "FORMAT.md"
SOUND = Counts(
    n_views=1,
    n_cells=6,
    n_patches=3,
    embedding_dim=2,
    n_edges=1,
    n_concepts=2,
    n_concept_vectors=0,
    concept_dim=0,
    n_mentions=2,
    n_triples=1,
    n_fusion=1,
    n_labels=2,
    text_bytes=60,
)


def test_counts_are_thirteen_little_endian_u32():
    assert SOUND.pack() == b"".join(value.to_bytes(4, "little") for value in astuple(SOUND))
    assert len(SOUND.pack()) == Counts.SIZE


@given(st.binary(min_size=52, max_size=52))
def test_counts_survive_packing(data):
    assert Counts.unpack(data).pack() == data


@pytest.mark.parametrize(
    "change",
    [
        {"n_patches": 7},
        {"n_views": 7},
        {"n_views": 0},
        {"embedding_dim": 0},
        {"n_fusion": 2},
        {"n_concepts": 0, "n_triples": 0, "n_mentions": 0},
        {"n_concepts": 0, "n_triples": 0, "n_fusion": 0},
        {"n_patches": 0, "n_edges": 0},
        {"n_patches": 1},
        {"n_concepts": 1},
        {"n_concept_vectors": 3, "concept_dim": 4},
        {"n_concept_vectors": 1},
        {"concept_dim": 4},
    ],
    ids=str,
)
def test_contradicting_counts_are_refused(change):
    SOUND.check(Limits(), where="x")
    with pytest.raises(FormatError) as caught:
        replace(SOUND, **change).check(Limits(), where="here")
    assert (caught.value.code, caught.value.where) == ("E_RECORD", "here")


def test_a_study_may_lack_films_patches_or_concepts():
    nothing = dict.fromkeys((field.name for field in fields(Counts)), 0)
    for present in ({}, {"n_concepts": 2, "n_triples": 1}, {"n_views": 1, "n_cells": 6}):
        Counts(**{**nothing, **present, "text_bytes": 3}).check(Limits(), where="x")


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("n_views", "views"),
        ("n_cells", "cells"),
        ("n_patches", "patches"),
        ("embedding_dim", "embedding_dim"),
        ("n_edges", "edges"),
        ("n_concepts", "concepts"),
        ("n_concept_vectors", "concepts"),
        ("concept_dim", "embedding_dim"),
        ("n_mentions", "mentions"),
        ("n_triples", "triples"),
        ("n_labels", "labels"),
        ("text_bytes", "text_bytes"),
    ],
)
def test_each_count_has_its_limit(name, limit):
    with pytest.raises(LimitError, match=limit) as caught:
        replace(SOUND, **{name: getattr(Limits(), limit) + 1}).check(Limits(), where="x")
    assert caught.value.code == "E_LIMIT"


@pytest.mark.parametrize(
    ("count", "bytes_"), [(0, 1), (1, 1), (256, 1), (257, 2), (65536, 2), (65537, 4), (2**32 - 1, 4)]
)
def test_an_index_is_as_narrow_as_it_can_be(count, bytes_):
    dtype = index_dtype(count)
    assert dtype.itemsize == bytes_
    assert count == 0 or np.iinfo(dtype).max >= count - 1


def test_graph_bytes_by_hand():
    # views 2+2+4+4+4+4+4+1, cells 6, patches 3 * (1 + 4), edge 2, concepts 2 * (1 + 4 + 4 + 1),
    # mentions 2 * (1 + 1 + 1 + 4 + 4), triple 3, fusion 2,
    # labels 2 * 4, six lengths, 60 bytes of text.
    assert graph_bytes(SOUND) == 25 + 6 + 15 + 2 + 20 + 22 + 3 + 2 + 8 + 6 + 60


def test_columns_split_where_the_counts_say():
    data = bytes(number % 256 for number in range(graph_bytes(SOUND)))
    columns = split_graph(SOUND, data)
    assert list(columns) == [column.name for column in GRAPH_COLUMNS]
    assert b"".join(column.tobytes() for column in columns.values()) == data
    assert columns["view_rows"].tolist() == [0x0100]
    assert columns["cell_score"].tolist() == list(range(25, 31))
    assert columns["edge"].shape == (1, 2)
    assert columns["concept_vector"].shape == (0,)
    assert columns["text"].tobytes() == data[-60:]


def test_the_columns_are_those_of_the_specification():
    section = FORMAT.read_text(encoding="utf-8").split("### 5.3 ")[1].split("### 5.4")[0]
    table = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert re.findall(r"`(\w+)`", "".join(table)) == [column.name for column in GRAPH_COLUMNS]


def test_the_counts_are_those_of_the_specification():
    section = FORMAT.read_text(encoding="utf-8").split("The thirteen counts")[1].split("[F7]")[0]
    assert re.findall(r"`(\w+)`", section) == [field.name for field in fields(Counts)]


def test_products_beyond_2_to_53_are_refused():
    assert checked_product(2**26, 2**26, where="x") == 2**52
    assert checked_product(MAX_INTEGER, where="x") == MAX_INTEGER
    with pytest.raises(LimitError) as caught:
        checked_product(2**27, 2**26, where="x")
    assert caught.value.code == "E_OVERFLOW"


LIMIT_NAMES = {
    "file": "file_bytes",
    "records": "records",
    "contents": "toc_bytes",
    "sections": "sections",
    "streams of a record": "streams",
    "record, stored": "record_bytes",
    "record, decoded": "decoded_bytes",
    "views": "views",
    "cells": "cells",
    "patches": "patches",
    "width of a vector": "embedding_dim",
    "edges": "edges",
    "concepts": "concepts",
    "mentions": "mentions",
    "triples": "triples",
    "labels": "labels",
    "text": "text_bytes",
}
UNITS = {"bytes": 1, "MiB": 2**20, "GiB": 2**30}


def quantity(text):
    power = re.fullmatch(r"2\^(\d+) bytes", text)
    if power:
        return 2 ** int(power[1])
    number, _, unit = text.partition(" ")
    return int(number.replace(",", "")) * UNITS[unit or "bytes"]


def test_the_limits_are_those_of_the_specification():
    section = FORMAT.read_text(encoding="utf-8").split("## 9. Limits")[1].split("## 10.")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| ")]
    stated = {LIMIT_NAMES[name]: (quantity(default), quantity(hard)) for name, default, hard in rows[1:]}
    assert stated == {name: (getattr(Limits(), name), hard) for name, hard in HARD_LIMITS.items()}


@pytest.mark.parametrize("name", HARD_LIMITS)
def test_a_caller_may_raise_limits_to_the_bounds_of_the_format(name):
    assert getattr(Limits(**{name: HARD_LIMITS[name]}), name) == HARD_LIMITS[name]
    for value in (0, -1, HARD_LIMITS[name] + 1):
        with pytest.raises(LimitError) as caught:
            Limits(**{name: value})
        assert caught.value.where == name


def test_a_limit_is_inclusive():
    limits = Limits(patches=10)
    limits.check("patches", 10, where="x")
    with pytest.raises(LimitError, match="patches is 11, the limit is 10"):
        limits.check("patches", 11, where="x")
