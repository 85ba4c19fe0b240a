"""Files whose every byte is in order, but which are no study (FORMAT.md sections 6.3 and 8.2)."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import numpy as np

from neuralgraph.graph.study import Study
from neuralgraph.wire import canonical
from spec.tools.vectors.draft import Draft
from spec.tools.vectors.studies import (
    CONCEPTS,
    MENTIONS,
    basic,
    columns_with,
    concept_vectors,
    film,
    grid_study,
    of_columns,
    textual,
)
from spec.tools.vectors.vector import Table, each

__all__ = ["meaning_vectors"]

MAX32 = 2**32 - 1
ALL = slice(None)


def meaning_vectors() -> Table:
    """All of them."""
    return {
        **_grids(), **_patches(), **_edges(), **_report_graph(), **_mentions(), **_strings(), **_sources(), **_labels()
    }  # fmt: skip


def _grids() -> Table:
    # The first film has 3 x 4 cells of 32 pixels.
    two_films = columns_with(grid_study("g", [film(3, 4), film(2, 2, seed=3)], 5))
    bare = columns_with(grid_study("b", [film(2, 2)], 0))
    sizes = {
        "E_NUM 0": 0.0,
        "E_NUM minus-zero": -0.0,
        "E_NUM negative": -32.0,
        "E_NUM nan": nan,
        "E_NUM infinite": inf,
        "E_COORD tiny": 1e-45,
    }
    return {
        **each("E_COORD F22 grid-rows-{name}: {value} rows instead of 3",
            {"0": 0, "minus-1": 2, "plus-1": 4, "max": 65_535}, lambda rows: two_films(("view_rows", 0, rows))),
        **each("E_COORD F22 grid-cols-{name}: {value} columns instead of 4",
            {"0": 0, "minus-1": 3, "plus-1": 5, "max": 65_535}, lambda cols: two_films(("view_cols", 0, cols))),
        "E_COORD F22 grid-2-by-6: as many cells, but the grid does not fit the film":
            two_films(("view_rows", 0, 2), ("view_cols", 0, 6)),
        **each("E_COORD F22 grid-height-{name}: a film {value} pixels high under 3 rows of 32",
            {"0": 0, "64": 64, "97": 97, "max": MAX32}, lambda height: two_films(("view_height", 0, height))),
        **each("E_COORD F22 grid-width-{name}: a film {value} pixels wide under 4 columns of 32",
            {"0": 0, "96": 96, "129": 129, "max": MAX32}, lambda width: two_films(("view_width", 0, width))),
        **each("{code} F22 grid-patch-height-{name}: patch height {value}", sizes,
            lambda height: two_films(("view_patch_height", 0, height))),
        "E_COORD F22 grid-patch-height-huge: patch height 3e38": two_films(("view_patch_height", 0, 3e38)),
        **each("{code} F22 grid-patch-width-{name}: patch width {value}", sizes,
            lambda width: two_films(("view_patch_width", 0, width))),
        "E_COORD F22 grid-patch-width-huge: patch width 3e38": two_films(("view_patch_width", 0, 3e38)),
        "E_COORD F22 grid-width-short-of-the-film: columns that end 2 parts in a million before the film does":
            two_films(("view_patch_width", 0, 32 * (1 - 2e-6))),
        **each("E_NUM F22 grid-step-{name}: step {value}",
            {"minus-zero": -0.0, "negative": -1e-3, "nan": nan, "infinite": inf},
            lambda step: two_films(("view_score_step", 0, step))),
        "E_NUM F22 grid-step-overflow: a step under which an attention overflows f32":
            bare(("view_score_step", 0, 3e38)),
        "E_NUM F22 grid-step-just-overflows: the least step under which code 255 overflows f32":
            bare(("view_score_step", 0, np.float32((2.0**128 - 2.0**103) / 65_025 * (1 + 2e-7)))),
        **each("E_IDX F22 grid-position-{value}: view position {value}", (7, 255),
            lambda position: two_films(("view_position", 0, position))),
        # Two rules broken at once, in one view and in two: each rule is asked of all views before the next.
        "E_COORD F22 R12 grid-cells-before-sizes: too many rows, and a patch height that is none":
            two_films(("view_rows", 0, 65_535), ("view_patch_height", 0, nan)),
        "E_NUM F22 R12 grid-sizes-before-extents: a film not covered, and later a patch width of none":
            two_films(("view_height", 0, 97), ("view_patch_width", 1, nan)),
    }  # fmt: skip


def _patches() -> Table:
    study = grid_study("p", [film(3, 4), film(2, 2, seed=3)], 5)
    columns = study.columns().graph
    scores, cells = study.patches.score, columns["patch_cell"]
    code = int(columns["cell_score"][cells[0]])
    swap = np.array([0, 2, 1, 3, 4])
    values, four_cells = columns_with(study), columns_with(grid_study("t", [film(1, 4)], 2))
    return {
        **each("E_IDX F23 patch-cell-{name}: cell {value} of 16", {"beyond": 16, "max": 255},
            lambda cell: values(("patch_cell", 2, cell))),
        "E_COORD F23 patch-cell-twice: two patches in one cell": values(("patch_cell", 2, cells[1])),
        **each("E_NUM F23 patch-score-{name}: score {value}",
            {"minus-zero": -0.0, "negative": -0.5, "nan": nan, "infinite": inf},
            lambda score: values(("patch_score", 4, score))),
        "E_ORDER F23 patches-ascend: patches not in descending order of score":
            values(("patch_score", ALL, scores[swap]), ("patch_cell", ALL, cells[swap])),
        "E_ORDER F23 ties-by-cell: equal scores in descending order of their cells":
            four_cells(("patch_cell", ALL, [3, 1]), ("patch_score", ALL, [4.0, 4.0]),
                ("cell_score", ALL, [0, 2, 0, 2]), ("view_score_step", 0, 1.0)),
        **each("E_ATTENTION F24 cell-score-{name}: the map contradicts a patch", {"minus-1": code - 1, "0": 0},
            lambda value: values(("cell_score", cells[0], value))),
        "E_ATTENTION F24 patch-score-0: a score of 0 where the map has attention": values(("patch_score", 4, 0.0)),
        "E_ATTENTION F24 patch-score-double: a score twice that of the map":
            values(("patch_score", 0, 2 * scores[0])),
        "E_ATTENTION F24 step-0: step 0 under scores that are not 0": values(("view_score_step", 0, 0.0)),
        "E_ATTENTION F24 map-0: a map of zeros under scores that are not 0":
            values(("view_score_step", 0, 0.0), ("cell_score", slice(0, 12), 0)),
    }  # fmt: skip


def _edges() -> Table:
    def other(study: Study, edges: list[list[int]]) -> Draft:
        """The study with these edges, as many as there are."""
        columns = study.columns()
        graph = {**columns.graph, "edge": np.array(edges, np.uint8).reshape(-1, 2)}
        return of_columns(replace(columns, counts=replace(columns.counts, n_edges=len(edges)), graph=graph))

    study = grid_study("e", [film(3, 3)], 9)
    right = study.columns().graph["edge"].tolist()
    first, second, third, fourth, *rest = right
    apart = next([a, b] for a in range(9) for b in range(a + 1, 9) if [a, b] not in right)
    two_films = grid_study("v", [film(1, 1), film(1, 1)], 2)
    two_rows = grid_study("w", [film(2, 2)], 4)
    columns = two_rows.columns().graph
    cells = columns["patch_cell"].tolist()
    around = sorted([*columns["edge"].tolist(), sorted((cells.index(1), cells.index(2)))])
    of_nine = {
        "E_IDX F25 edge-beyond: patch 9 of 9": [first, second, third, [fourth[0], 9], *rest],
        "E_IDX F25 edge-max: patch 255 of 9": [first, second, third, [fourth[0], 255], *rest],
        "E_EDGE F25 edge-reversed: an edge with its higher end first": [first, second, third, fourth[::-1], *rest],
        "E_EDGE F25 edge-loop: an edge from a patch to itself": [[first[0], first[0]], *right[1:]],
        "E_EDGE F25 edge-twice: an edge twice, another missing": [first, first, *right[2:]],
        "E_EDGE F25 edge-swapped: two edges in the wrong order": [second, first, *right[2:]],
        "E_EDGE F25 edge-apart: an edge between patches that do not touch": [apart, *right[1:]],
        "E_EDGE F25 edge-missing: an edge is missing": right[:-1],
        "E_EDGE F25 edges-missing: all edges are missing": [],
    }
    return {
        **{title: other(study, edges) for title, edges in of_nine.items()},
        "E_EDGE F25 edge-across-views: an edge between patches of two views": other(two_films, [[0, 1]]),
        "E_EDGE F25 edge-around-the-row: an edge from the end of a row to the start of the next":
            other(two_rows, around),
    }  # fmt: skip


def _report_graph() -> Table:
    # 4 patches, 3 concepts, 2 vectors.
    values = columns_with(basic("r", concept_vectors=concept_vectors([0, 1, 1], 2)))
    return {
        **each("E_IDX F26 concept-label-{value}: concept label {value}", (12, 255),
            lambda label: values(("concept_label", 1, label))),
        "E_TEXT F26 span-reversed: a span that ends before it starts": values(("concept_end", 0, 3)),
        "E_TEXT F26 span-max: a span that starts at the end of u32": values(("concept_start", 2, MAX32)),
        "E_ORDER F26 concepts-descend: concepts not in order of their starts":
            values(("concept_start", 0, 14), ("concept_end", 0, 15)),
        "E_ORDER F26 concepts-descend-by-end: equal starts, ends descend":
            values(("concept_start", 0, 13), ("concept_end", 0, 22)),
        **each("E_IDX F26 concept-vector-{value}: concept vector {value} of 2", (2, 255),
            lambda vector: values(("concept_vector", 2, vector))),
        **each("E_IDX F26 concept-section-{value}: section {value} of a concept", (4, 255),
            lambda section: values(("concept_section", 1, section))),
        "E_IDX F26 section-before-span: an unknown section, and before it a span that ends too early":
            values(("concept_section", 2, 4), ("concept_end", 0, 3)),
        **{
            f"E_IDX F26 {column.replace('_', '-')}-{value}: {reason.format(value)}": values((column, at, value))
            for value in (3, 255)
            for column, at, reason in (
                ("triple_head", 2, "head {} of 3 concepts"),
                ("triple_tail", 2, "tail {} of 3 concepts"),
                ("triple_relation", 2, "relation {}"),
                ("fusion_concept", 0, "fusion with concept {} of 3"),
            )
        },
        **each("E_IDX F26 fusion-patch-{value}: fusion with patch {value} of 4", (4, 255),
            lambda patch: values(("fusion_patch", 0, patch))),
        "E_IDX F26 triple-loop: a triple from a concept to itself": values(("triple_tail", 2, 2)),
        "E_ORDER F26 triple-twice: a triple twice": values(("triple_relation", 1, 0)),
        "E_ORDER F26 triples-descend: triples descend": values(("triple_relation", slice(0, 2), [1, 0])),
        "E_ORDER F26 triples-by-tail: triples not ordered by tail":
            values(("triple_relation", slice(0, 2), [0, 0]), ("triple_tail", slice(0, 2), [2, 0])),
    }  # fmt: skip


def _mentions() -> Table:
    values = columns_with(basic("m", concept_vectors=concept_vectors([0, 1, 1], 2), mentions=MENTIONS))
    return {
        **each("E_IDX F26 mention-concept-{value}: concept {value} of a mention", (3, 255),
            lambda concept: values(("mention_concept", 2, concept))),
        **each("E_IDX F26 mention-label-{value}: label {value} of a mention", (12, 255),
            lambda label: values(("mention_label", 2, label))),
        **each("E_IDX F26 mention-section-{value}: section {value} of a mention", (4, 255),
            lambda section: values(("mention_section", 2, section))),
        "E_TEXT F26 mention-reversed: a mention that ends before it starts": values(("mention_end", 0, 39)),
        "E_TEXT F26 mention-start-max: a mention that starts at the end of u32": values(("mention_start", 2, MAX32)),
        "E_ORDER F26 mention-concepts-descend: mentions not in order of their concepts":
            values(("mention_concept", 1, 1), ("mention_concept", 0, 2)),
        "E_ORDER F26 mention-starts-descend: mentions of a concept not in order of their starts":
            values(("mention_start", 1, 61), ("mention_end", 1, 68)),
        "E_ORDER F26 mention-ends-descend: two mentions start at one place, their ends descend":
            values(("mention_start", 1, 60), ("mention_end", 1, 69)),
        "E_ORDER F26 mention-twice: a place that mentions a concept twice, with two labels":
            values(("mention_start", 1, 60), ("mention_end", 1, 68)),
        # Two rules broken at once: each is asked of all mentions before the next, between vectors and triples (R12).
        "E_IDX F26 mention-known-before-spans: a mention reversed, and a later one of no label":
            values(("mention_end", 0, 39), ("mention_label", 2, 12)),
        "E_TEXT F26 mention-spans-before-order: mentions that descend, and a later one reversed":
            values(("mention_concept", 0, 2), ("mention_concept", 1, 1), ("mention_end", 2, 59)),
        "E_IDX F26 mention-after-vectors: a mention reversed, and a concept vector that is not there":
            values(("mention_end", 0, 39), ("concept_vector", 0, 2)),
        "E_TEXT F26 mention-before-triples: a mention reversed, and a triple of no concept":
            values(("mention_end", 0, 39), ("triple_head", 0, 3)),
    }  # fmt: skip


def _pool(study: Study, number: int, string: bytes) -> Draft:
    """The study with one string replaced, lengths and counts following."""
    columns = study.columns()
    lengths, text = columns.graph["string_bytes"].tolist(), columns.graph["text"].tobytes()
    start = sum(lengths[:number])
    pool = text[:start] + string + text[start + lengths[number] :]
    lengths[number] = len(string)
    string_bytes = np.array(lengths, np.uint8 if len(pool) <= 256 else np.uint16)
    graph = {**columns.graph, "string_bytes": string_bytes, "text": np.frombuffer(pool, np.uint8)}
    return of_columns(replace(columns, counts=replace(columns.counts, text_bytes=len(pool)), graph=graph))


def _strings() -> Table:
    study = basic("s")
    columns, values = study.columns(), columns_with(study)
    concept, label = 2, 2 + len(CONCEPTS)
    length = int(columns.graph["string_bytes"][concept])

    def string(number: int, new: bytes) -> Draft:
        return _pool(study, number, new)

    bad = {
        "latin-1": b"\xe9tude", "cut": "é".encode()[:1], "overlong": b"\xc0\xaf", "surrogate": b"\xed\xa0\x80",
        "beyond": b"\xf4\x90\x80\x80", "lone-continuation": b"a\x80",
        "nul": b"a\x00b", "newline": b"a\nb", "tab": b"a\tb", "delete": b"a\x7f", "c1": "a\x85b".encode(),
        "last-c1": "\x9f".encode(),
        "arabic-mark": "a\u061c".encode(), "left-mark": "\u200ea".encode(), "right-mark": "\u200fa".encode(),
        "embedding": "\u202aa".encode(), "override": "\u202ea".encode(),
        "isolate": "\u2066a".encode(), "end-isolate": "a\u2069".encode(), "decomposed": "e\u0301tude".encode(),
        "compatible-angstrom": "\u212b".encode(), "hangul-jamo": "\u1100\u1161".encode(),
    }  # fmt: skip
    return {
        "E_TEXT F27 id-empty: a study id of no byte": string(0, b""),
        "E_TEXT F27 id-129-bytes: a study id of 129 bytes": string(0, b"x" * 129),
        "E_TEXT F27 concept-empty: a concept of no byte": string(concept, b""),
        "E_TEXT F27 label-empty: a label name of no byte": string(label, b""),
        **each("E_TEXT F27 id-{name}: a study id with {words}", bad, lambda text: string(0, text)),
        **{
            f"E_TEXT F27 {kind}-{name}: a {noun} with {name.replace('-', ' ')}": string(number, bad[name])
            for name in ("latin-1", "nul", "override", "decomposed")
            for kind, noun, number in (("concept", "concept", concept), ("label", "label name", label + 1))
        },
        "E_ORDER F27 labels-descend: label names descend": string(label, b"Z"),
        "E_ORDER F27 labels-equal: two labels of one name": string(label, b"Pleural Effusion"),
        **each("E_TEXT F27 strings-{name}: the strings do not fill the text", {"minus-1": -1, "plus-1": 1},
            lambda more: values(("string_bytes", concept, length + more))),
        "E_TEXT F27 strings-max: a string of 255 bytes in a text of fewer": values(("string_bytes", -1, 255)),
        "E_TEXT F27 report-latin-1: a report that is not UTF-8": of_columns(replace(columns, report=b"caf\xe9")),
        "E_TEXT F27 report-surrogate: a report with a surrogate": of_columns(replace(columns, report=b"\xed\xa0\x80")),
    }  # fmt: skip


def _sources() -> Table:
    text = textual("m")
    sources = {
        "unknown": {"patient": "x"}, "method-key": {"model": {}}, "report-word": {"report": "made up"},
        "report-number": {"report": 1}, "films-map": {"films": {}}, "films-texts": {"films": ["png"]},
        "loss-map": {"loss": {}}, "loss-texts": {"loss": ["svd"]}, "loss-number": {"loss": 0.011},
        "labeler-number": {"labeler": 1}, "terms-array": {"terms": []},
        "extension-short": {"x.org": 1}, "extension-upper": {"x.org.example.A": 1},
    }  # fmt: skip
    encodings = {
        "empty": b"", "trailing": b"\x80\x80", "nil": b"\xc0",
        "keys-equal": b"\x82\xa5terms\xa1a\xa5terms\xa1b", "not-shortest": b"\x81\xa5terms\xd9\x01a",
        "nan": b"\x81\xafx.org.example.a\xcb\x7f\xf8" + bytes(6),
        "deep": b"\x81\xafx.org.example.a" + b"\x91" * 7 + b"\x90", "cut": b"\x81\xa5ter",
    }  # fmt: skip

    def films(count: int, of: Study) -> Draft:
        return _pool(of, 1, canonical.encode({"films": [{"format": "png"}] * count}))

    return {
        **each("E_TOC_KEY F17 W1 source-{name}: a source map with {words}", sources,
            lambda source: _pool(text, 1, canonical.encode(source))),
        "E_TOC_KEY F17 source-films-none: 0 films in provenance, 1 in the study": films(0, basic("m")),
        "E_TOC_KEY F17 source-films-two: 2 films in provenance, 1 in the study": films(2, basic("m")),
        "E_TOC_KEY F17 source-films-no-view: 1 films in provenance, 0 in the study": films(1, text),
        "E_TOC_KEY F17 source-array: the source map is an array": _pool(text, 1, b"\x90"),
        **each("E_TOC_FORM F14 source-{name}: a source map: {words}", encodings, lambda data: _pool(text, 1, data)),
    }  # fmt: skip


def _labels() -> Table:
    values = columns_with(basic("n"))
    return each("E_NUM F28 label-value-{name}: a label value of {value}",
        {"nan": nan, "infinite": inf, "minus-infinite": -inf}, lambda number: values(("label_value", 1, number)),
    )  # fmt: skip
