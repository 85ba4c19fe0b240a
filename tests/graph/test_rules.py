"""Every rule of FORMAT.md section 8.2, broken once, as a file that says so would break it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import build_study, hand_made_study, studies
from hypothesis import given

from neuralgraph.graph.rules import places, study_problems
from neuralgraph.wire import canonical
from neuralgraph.wire.columns import GRAPH_COLUMNS


def columns_with(*, counts=None, strings=None, study=None, **changes):
    """Columns of the hand-made study with some of them replaced.

    ``strings`` maps positions in the pool (0 id, 1 source, 2-3 concepts, 4-5 labels) to other bytes.
    """
    columns = (study or hand_made_study()).columns()
    graph = dict(columns.graph)
    if strings is not None:
        ends = np.cumsum(graph["string_bytes"].astype(int))
        pool = [
            graph["text"].tobytes()[end - size : end] for end, size in zip(ends, graph["string_bytes"], strict=True)
        ]
        for position, string in strings.items():
            pool[position] = string
        text = b"".join(pool)
        counts = {**(counts or {}), "text_bytes": len(text)}
        graph["text"] = np.frombuffer(text, "u1")
        graph["string_bytes"] = np.array([len(string) for string in pool], "<u4")
    for name in [name for name in changes if name in graph]:
        graph[name] = np.array(changes.pop(name), graph[name].dtype)
    return replace(columns, graph=graph, counts=replace(columns.counts, **(counts or {})), **changes)


def codes(columns):
    found = list(study_problems(columns))
    assert all("\n" not in problem.message + problem.where and len(problem.where) < 100 for problem in found)
    return [problem.code for problem in found]


def source(**facts):
    return {"strings": {1: canonical.encode(facts)}}


def method(facts):
    return {"method": canonical.encode(facts)}


deep = 1
for _ in range(6):
    deep = {"a": deep}

# The attention map is [[4, 2, 0], [0, 0, 8]] at a step of 0.25; patches lie in cells 5, 0, 1 with scores 16, 4, 1.
BROKEN = {
    "grid without rows": ({"view_rows": [0]}, ["E_COORD"] * 3),
    "grid of another size": ({"view_rows": [3], "view_height": [96]}, ["E_COORD"]),
    "patch height 0": ({"view_patch_height": [0]}, ["E_NUM"]),
    "patch height nan": ({"view_patch_height": [math.nan]}, ["E_NUM"]),
    "patch width infinite": ({"view_patch_width": [math.inf]}, ["E_NUM"]),
    "patch width negative": ({"view_patch_width": [-32]}, ["E_NUM"]),
    "a row beyond the film": ({"view_height": [32]}, ["E_COORD"]),
    "film beyond the rows": ({"view_height": [65]}, ["E_COORD"]),
    "a column beyond the film": ({"view_width": [64]}, ["E_COORD"]),
    "film without height": ({"view_height": [0]}, ["E_COORD"]),
    "unknown position": ({"view_position": [7]}, ["E_IDX"]),
    "step negative": ({"view_score_step": [-0.25]}, ["E_NUM"]),
    "step minus zero": ({"view_score_step": [-0.0]}, ["E_NUM"]),
    "step nan": ({"view_score_step": [math.nan]}, ["E_NUM"]),
    "step infinite": ({"view_score_step": [math.inf]}, ["E_NUM"]),
    "attention that overflows": ({"view_score_step": [1e37]}, ["E_NUM"]),
    "cell outside": ({"patch_cell": [6, 0, 1]}, ["E_IDX"]),
    "two patches in one cell": ({"patch_cell": [5, 0, 0]}, ["E_COORD"]),
    "score negative": ({"patch_score": [16, 4, -1]}, ["E_NUM"]),
    "score minus zero": ({"patch_score": [16, 4, -0.0]}, ["E_NUM"]),
    "score nan": ({"patch_score": [16, 4, math.nan]}, ["E_NUM"]),
    "score infinite": ({"patch_score": [math.inf, 4, 1]}, ["E_NUM"]),
    "scores ascending": ({"patch_score": [16, 1, 4], "patch_cell": [5, 1, 0]}, ["E_ORDER"]),
    "equal scores, cells descending": (
        {"cell_score": [4, 4, 0, 0, 0, 8], "patch_score": [16, 4, 4], "patch_cell": [5, 1, 0]},
        ["E_ORDER"],
    ),
    "score of another cell": ({"patch_score": [16, 4, 0.5]}, ["E_ATTENTION"]),
    "score just beyond half a code": ({"patch_score": [16, 4, 0.25 * 2.50001**2]}, ["E_ATTENTION"]),
    "step 0 with a score": ({"view_score_step": [0], "cell_score": [0] * 6}, ["E_ATTENTION"]),
    "step 0 with codes": (
        {"view_score_step": [0], "patch_score": [0, 0, 0], "patch_cell": [0, 1, 5], "edge": [[0, 1]]},
        ["E_ATTENTION"],
    ),
    "edge to nowhere": ({"edge": [[1, 3]]}, ["E_IDX"]),
    "edge between strangers": ({"edge": [[0, 1]]}, ["E_EDGE"]),
    "edge backwards": ({"edge": [[2, 1]]}, ["E_EDGE"]),
    "edge missing": ({"edge": np.empty((0, 2))}, ["E_EDGE"]),
    "edge twice": ({"edge": [[1, 2], [1, 2]]}, ["E_EDGE"]),
    "unknown label": ({"concept_label": [0, 12]}, ["E_IDX"]),
    "span backwards": ({"concept_end": [2, 17]}, ["E_TEXT"]),
    "spans out of order": ({"concept_start": [3, 2]}, ["E_ORDER"]),
    "spans of one start out of order": ({"concept_start": [3, 3], "concept_end": [7, 6]}, ["E_ORDER"]),
    "triple from nowhere": ({"triple_head": [2]}, ["E_IDX"]),
    "triple to nowhere": ({"triple_tail": [2]}, ["E_IDX"]),
    "unknown relation": ({"triple_relation": [3]}, ["E_IDX"]),
    "triple in itself": ({"triple_tail": [1]}, ["E_IDX"]),
    "triple twice": ({"triple_head": [1, 1], "triple_relation": [1, 1], "triple_tail": [0, 0]}, ["E_ORDER"]),
    "triples descending": ({"triple_head": [1, 0], "triple_relation": [1, 1], "triple_tail": [0, 1]}, ["E_ORDER"]),
    "fusion from nowhere": ({"fusion_patch": [3]}, ["E_IDX"]),
    "fusion to nowhere": ({"fusion_concept": [2]}, ["E_IDX"]),
    "label nan": ({"label_value": [0, math.nan]}, ["E_NUM"]),
    "label infinite": ({"label_value": [-math.inf, 0]}, ["E_NUM"]),
    "embedding nan": ({"embedding": np.full((3, 2), math.nan, "f4")}, ["E_NUM"]),
    "concept vector infinite": ({"concept_vectors": np.full((1, 2), math.inf, "f4")}, ["E_NUM"]),
    "lengths short of the text": ({"string_bytes": [3, 14, 4, 7, 8, 7]}, ["E_TEXT"]),
    "lengths beyond the text": ({"string_bytes": [255] * 6}, ["E_TEXT"]),
    "no id": ({"strings": {0: b""}}, ["E_TEXT", "E_TEXT"]),
    "id of 129 bytes": ({"strings": {0: b"a" * 129}}, ["E_TEXT"]),
    "id of 65 letters of two bytes": ({"strings": {0: "é".encode() * 65}}, ["E_TEXT"]),
    "id not utf-8": ({"strings": {0: b"\xff"}}, ["E_TEXT"]),
    "id with nul": ({"strings": {0: b"a\0b"}}, ["E_TEXT"]),
    "concept empty": ({"strings": {2: b""}}, ["E_TEXT"]),
    "concept with newline": ({"strings": {2: b"lung\n"}}, ["E_TEXT"]),
    "concept with escape": ({"strings": {3: b"\x1b[2J"}}, ["E_TEXT"]),
    "concept with delete": ({"strings": {3: b"\x7f"}}, ["E_TEXT"]),
    "concept with C1 control": ({"strings": {3: "\x9b".encode()}}, ["E_TEXT"]),
    "concept turning its direction": ({"strings": {3: "a\u202eb".encode()}}, ["E_TEXT"]),
    "concept not NFC": ({"strings": {3: "e\u0301".encode()}}, ["E_TEXT"]),
    "concept as surrogate": ({"strings": {3: b"\xed\xa0\x80"}}, ["E_TEXT"]),
    "label name empty": ({"strings": {4: b""}}, ["E_TEXT"]),
    "label names descending": ({"strings": {4: b"z"}}, ["E_ORDER"]),
    "label name twice": ({"strings": {4: b"opacity"}}, ["E_ORDER"]),
    "report not utf-8": ({"report": b"\xff"}, ["E_TEXT"]),
    "source no map": ({"strings": {1: b"\x90"}}, ["E_TOC_KEY"]),
    "source not canonical": ({"strings": {1: b"\x81\xa6report\xd9\x05given"}}, ["E_TOC_FORM"]),
    "source with unknown key": (source(patient="x"), ["E_TOC_KEY"]),
    "source with an endless key": (source(**{"a" * 2000: 1}), ["E_TOC_KEY"]),
    "source with a key of two lines": (source(**{"a\nb\x1b": 1}), ["E_TOC_KEY"]),
    "source with a method's key": (source(model={}), ["E_TOC_KEY"]),
    "source with a wrong type": (source(films={}), ["E_TOC_KEY"]),
    "source with an unknown report kind": (source(report="found"), ["E_TOC_KEY"]),
    "source with half an extension": (source(**{"x.org.note": 1}), ["E_TOC_KEY"]),
    "method no map": (method([]), ["E_TOC_KEY"]),
    "method with unknown key": (method({"operator": "x"}), ["E_TOC_KEY"]),
    "method with an extension": (method({"x.org.example.note": 1}), ["E_TOC_KEY"]),
    "method with a wrong type": (method({"model": "demo"}), ["E_TOC_KEY"]),
    "section of a concept": ({"concept_section": [0, 4]}, ["E_IDX"]),
    "mention of no concept": ({"mention_concept": [2]}, ["E_IDX"]),
    "mention with an unknown label": ({"mention_label": [12]}, ["E_IDX"]),
    "mention in an unknown section": ({"mention_section": [4]}, ["E_IDX"]),
    "mention backwards": ({"mention_start": [38]}, ["E_TEXT"]),
    "source with another number of films": (source(films=[{}, {}]), ["E_TOC_KEY"]),
    "source with films that are no maps": (source(films=[1]), ["E_TOC_KEY"]),
    "method too deep for the contents": (method({"model": deep}), ["E_TOC_FORM"]),
    "pixels without header": ({"pixels": b""}, ["E_SIZE"]),
    "pixels of another size": ({"pixels": b"\1\0\1\0\1\0\0\0" + b"ab"}, ["E_SIZE"]),
    "pixels of three bytes": ({"pixels": b"\1\0\1\0\3\0\0\0" + b"abcdefghi"}, ["E_SIZE"]),
    "pixels with reserved bytes": ({"pixels": b"\1\0\1\0\1\0\1\0" + b"abc"}, ["E_SIZE"]),
    "extension without name": ({"extensions": {"note": b""}}, ["E_NAME"]),
    "extension in capitals": ({"extensions": {"x.org.Example.note": b""}}, ["E_NAME"]),
    "extension name of 256 bytes": ({"extensions": {"x.org.example." + "a" * 242: b""}}, ["E_NAME"]),
}


def test_the_study_that_is_broken_below_is_sound():
    assert codes(columns_with()) == []
    assert codes(columns_with(strings={})) == []
    for facts in ({}, {"x.org.example.note": [1, {"a": b""}]}, {"report": "generated", "films": [{}]}):
        assert codes(columns_with(**source(**facts))) == []
    assert codes(columns_with(extensions={"x.org.example." + "a" * 241: b""})) == []
    assert codes(columns_with(pixels=b"\1\0\1\0\2\0\0\0abcdef")) == []
    assert codes(columns_with(report="any text \0 \u202e at all".encode())) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found(name):
    changes, expected = BROKEN[name]
    columns = columns_with(**changes)
    assert codes(columns) == expected


def test_vectors_must_exist():
    study = build_study(concepts=3, vectors=2)
    assert codes(columns_with(study=study)) == []
    assert codes(columns_with(study=study, concept_vector=[0, 1, 2])) == ["E_IDX"]


@pytest.mark.parametrize("second", [(1, 30, 37), (1, 30, 36), (1, 29, 40), (0, 99, 99)], ids=str)
def test_mentions_ascend_by_concept_and_span_each_once(second):
    concept, start, end = zip((1, 30, 37), second, strict=True)
    changes = {"mention_concept": concept, "mention_start": start, "mention_end": end}
    changes |= {"mention_label": [3, 3], "mention_section": [1, 1]}
    assert codes(columns_with(counts={"n_mentions": 2}, **changes)) == ["E_ORDER"]
    for name in ("concept", "start", "end"):
        changes[f"mention_{name}"] = changes[f"mention_{name}"][::-1]
    assert codes(columns_with(counts={"n_mentions": 2}, **changes)) == ([] if second != (1, 30, 37) else ["E_ORDER"])


def test_every_problem_is_listed():
    columns = columns_with(view_position=[9], concept_label=[99, 0], label_value=[math.nan, 0], report=b"\xff")
    assert codes(columns) == ["E_IDX", "E_IDX", "E_TEXT", "E_NUM"]


def test_half_a_code_is_within_tolerance():
    assert codes(columns_with(patch_score=[16, 4, 0.25 * 2.5**2])) == []
    assert codes(columns_with(patch_score=[16, 4, 0.25 * 1.5**2])) == []


def test_a_film_may_end_inside_its_last_patch():
    assert codes(columns_with(view_height=[33], view_width=[65])) == []


def test_places_of_cells_by_hand():
    study = build_study(rows=2, cols=3, views=2, patches=12)
    columns = study.columns()
    columns.graph["patch_cell"] = np.arange(12, dtype=np.uint8)
    view, row, col = places(columns)
    assert view.tolist() == [0] * 6 + [1] * 6
    assert row.tolist() == [0, 0, 0, 1, 1, 1] * 2
    assert col.tolist() == [0, 1, 2] * 4


@given(studies())
def test_sound_studies_have_no_problem(study):
    columns = study.columns()
    assert codes(columns) == []
    for column in GRAPH_COLUMNS:
        values = getattr(columns.counts, column.rows) * column.width
        assert columns.graph[column.name].nbytes == values * column.numpy_dtype(columns.counts).itemsize
