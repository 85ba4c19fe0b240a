"""Files whose every byte is in order, but which are no study (FORMAT.md sections 6.3 and 8.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from neuralgraph.graph.study import Study
from neuralgraph.wire import canonical
from neuralgraph.wire.study_columns import StudyColumns
from spec.tools.vectors.draft import Draft
from spec.tools.vectors.studies import (
    CONCEPTS,
    MENTIONS,
    basic,
    concept_vectors,
    film,
    grid_study,
    ramp,
    record_of,
    textual,
)
from spec.tools.vectors.vector import Vector

__all__ = ["meaning_vectors", "sealed"]

INFINITE, NAN = float("inf"), float("nan")


def meaning_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _grids()
    yield from _patches()
    yield from _edges()
    yield from _report_graph()
    yield from _mentions()
    yield from _strings()
    yield from _sources()
    yield from _numbers()


def sealed(code: str, name: str, reason: str, columns: StudyColumns, *requirements: str) -> Vector:
    """A file of columns, digest and all checksums right."""
    study_id = columns.graph["text"][: int(columns.graph["string_bytes"][0])].tobytes()
    return Vector(name, Draft([record_of(columns)], [columns.method], [study_id]).pack(), reason, requirements, code)


def _set(study: Study, column: str, index: Any, value: Any, *more: tuple[str, Any, Any]) -> StudyColumns:
    """The study's columns with values changed."""
    columns = study.columns()
    graph = {name: array.copy() for name, array in columns.graph.items()}
    for each, at, new in ((column, index, value), *more):
        graph[each][at] = new
    return replace(columns, graph=graph)


def _grids() -> Iterator[Vector]:
    study = grid_study("g", [film(3, 4), film(2, 2, seed=3)], 5, ramp(5, 1))

    def grid(code: str, name: str, reason: str, column: str, value: Any) -> Vector:
        return sealed(code, f"grid-{name}", reason, _set(study, f"view_{column}", 0, value), "F22")

    for name, value in (("0", 0), ("minus-1", 2), ("plus-1", 4), ("max", 65_535)):
        yield grid("E_COORD", f"rows-{name}", f"{value} rows instead of 3", "rows", value)
    for name, value in (("0", 0), ("minus-1", 3), ("plus-1", 5), ("max", 65_535)):
        yield grid("E_COORD", f"cols-{name}", f"{value} columns instead of 4", "cols", value)
    swapped = _set(study, "view_rows", 0, 2, ("view_cols", 0, 6))
    yield sealed("E_COORD", "grid-2-by-6", "as many cells, but the grid does not fit the film", swapped, "F22")
    for name, value in (("0", 0), ("64", 64), ("97", 97), ("max", 2**32 - 1)):
        yield grid("E_COORD", f"height-{name}", f"a film {value} pixels high under 3 rows of 32", "height", value)
    for name, value in (("0", 0), ("96", 96), ("129", 129), ("max", 2**32 - 1)):
        yield grid("E_COORD", f"width-{name}", f"a film {value} pixels wide under 4 columns of 32", "width", value)
    for axis in ("height", "width"):
        for name, number in (
            ("0", 0.0),
            ("minus-zero", -0.0),
            ("negative", -32.0),
            ("nan", NAN),
            ("infinite", INFINITE),
        ):
            yield grid("E_NUM", f"patch-{axis}-{name}", f"patch {axis} {number}", f"patch_{axis}", number)
        yield grid("E_COORD", f"patch-{axis}-tiny", f"patch {axis} 1e-45", f"patch_{axis}", 1e-45)
        yield grid("E_COORD", f"patch-{axis}-huge", f"patch {axis} 3e38", f"patch_{axis}", 3e38)
    yield grid(
        "E_COORD",
        "width-short-of-the-film",
        "columns that end 2 parts in a million before the film does",
        "patch_width",
        32 * (1 - 2e-6),
    )
    for name, number in (("minus-zero", -0.0), ("negative", -1e-3), ("nan", NAN), ("infinite", INFINITE)):
        yield grid("E_NUM", f"step-{name}", f"step {number}", "score_step", number)
    bare = grid_study("b", [film(2, 2)], 0, np.empty((0, 0), np.float32))
    overflow = _set(bare, "view_score_step", 0, 3e38)
    yield sealed("E_NUM", "grid-step-overflow", "a step under which an attention overflows f32", overflow, "F22")
    least = _set(bare, "view_score_step", 0, np.float32((2.0**128 - 2.0**103) / 65_025 * (1 + 2e-7)))
    yield sealed("E_NUM", "grid-step-just-overflows", "the least step under which code 255 overflows f32", least, "F22")
    for value in (7, 255):
        yield grid("E_IDX", f"position-{value}", f"view position {value}", "position", value)
    # Two rules broken at once, in one view and in two: each rule is asked of all views before the next (R12).
    one = _set(study, "view_rows", 0, 65_535, ("view_patch_height", 0, NAN))
    yield sealed(
        "E_COORD", "grid-cells-before-sizes", "too many rows, and a patch height that is none", one, "F22", "R12"
    )
    two = _set(study, "view_height", 0, 97, ("view_patch_width", 1, NAN))
    yield sealed(
        "E_NUM", "grid-sizes-before-extents", "a film not covered, and later a patch width of none", two, "F22", "R12"
    )


def _patches() -> Iterator[Vector]:
    study = grid_study("p", [film(3, 4), film(2, 2, seed=3)], 5, ramp(5, 1))
    scores, cells = study.patches.score, study.columns().graph["patch_cell"]
    for name, value in (("beyond", 16), ("max", 255)):
        yield sealed("E_IDX", f"patch-cell-{name}", f"cell {value} of 16", _set(study, "patch_cell", 2, value), "F23")
    yield sealed(
        "E_COORD", "patch-cell-twice", "two patches in one cell", _set(study, "patch_cell", 2, cells[1]), "F23"
    )
    for name, number in (("minus-zero", -0.0), ("negative", -0.5), ("nan", NAN), ("infinite", INFINITE)):
        yield sealed("E_NUM", f"patch-score-{name}", f"score {number}", _set(study, "patch_score", 4, number), "F23")
    swap = np.array([0, 2, 1, 3, 4])
    swapped = _set(study, "patch_score", slice(None), scores[swap], ("patch_cell", slice(None), cells[swap]))
    yield sealed("E_ORDER", "patches-ascend", "patches not in descending order of score", swapped, "F23")
    tied = grid_study("t", [film(1, 4)], 2, ramp(2, 1))
    ties = _set(
        tied,
        "patch_cell",
        slice(None),
        [3, 1],
        ("patch_score", slice(None), [4.0, 4.0]),
        ("cell_score", slice(None), [0, 2, 0, 2]),
        ("view_score_step", 0, 1.0),
    )
    yield sealed("E_ORDER", "ties-by-cell", "equal scores in descending order of their cells", ties, "F23")
    number = int(study.columns().graph["cell_score"][cells[0]])
    for name, value in (("minus-1", number - 1), ("0", 0)):
        yield sealed(
            "E_ATTENTION",
            f"cell-score-{name}",
            "the map contradicts a patch",
            _set(study, "cell_score", cells[0], value),
            "F24",
        )
    yield sealed(
        "E_ATTENTION",
        "patch-score-0",
        "a score of 0 where the map has attention",
        _set(study, "patch_score", 4, 0.0),
        "F24",
    )
    yield sealed(
        "E_ATTENTION",
        "patch-score-double",
        "a score twice that of the map",
        _set(study, "patch_score", 0, 2 * scores[0]),
        "F24",
    )
    dark = _set(study, "view_score_step", 0, 0.0)
    yield sealed("E_ATTENTION", "step-0", "step 0 under scores that are not 0", dark, "F24")
    black = _set(study, "view_score_step", 0, 0.0, ("cell_score", slice(0, 12), 0))
    yield sealed("E_ATTENTION", "map-0", "a map of zeros under scores that are not 0", black, "F24")


def _edges() -> Iterator[Vector]:
    study = grid_study("e", [film(3, 3)], 9, ramp(9, 1))
    edge = study.columns().graph["edge"]

    def edges(code: str, name: str, reason: str, index: Any, value: Any) -> Vector:
        return sealed(code, f"edge-{name}", reason, _set(study, "edge", index, value), "F25")

    yield edges("E_IDX", "beyond", "patch 9 of 9", (3, 1), 9)
    yield edges("E_IDX", "max", "patch 255 of 9", (3, 1), 255)
    yield edges("E_EDGE", "reversed", "an edge with its higher end first", 3, edge[3][::-1])
    yield edges("E_EDGE", "loop", "an edge from a patch to itself", (0, 1), edge[0, 0])
    yield edges("E_EDGE", "twice", "an edge twice, another missing", 1, edge[0])
    yield edges("E_EDGE", "swapped", "two edges in the wrong order", slice(0, 2), edge[[1, 0]])
    apart = next((a, b) for a in range(9) for b in range(a + 1, 9) if [a, b] not in edge.tolist())
    yield edges("E_EDGE", "apart", "an edge between patches that do not touch", 0, apart)
    fewer = study.columns()
    counts = replace(fewer.counts, n_edges=len(edge) - 1)
    cut = replace(fewer, counts=counts, graph={**fewer.graph, "edge": edge[:-1]})
    yield sealed("E_EDGE", "edge-missing", "an edge is missing", cut, "F25")
    none = replace(fewer, counts=replace(fewer.counts, n_edges=0), graph={**fewer.graph, "edge": edge[:0]})
    yield sealed("E_EDGE", "edges-missing", "all edges are missing", none, "F25")
    views = grid_study("v", [film(1, 1), film(1, 1)], 2, ramp(2, 1)).columns()
    across = replace(
        views, counts=replace(views.counts, n_edges=1), graph={**views.graph, "edge": np.array([[0, 1]], np.uint8)}
    )
    yield sealed("E_EDGE", "edge-across-views", "an edge between patches of two views", across, "F25")
    row = grid_study("w", [film(2, 2)], 4, ramp(4, 1)).columns()
    cells = row.graph["patch_cell"].tolist()
    wrapped = sorted([*row.graph["edge"].tolist(), sorted((cells.index(1), cells.index(2)))])
    around = replace(
        row, counts=replace(row.counts, n_edges=5), graph={**row.graph, "edge": np.array(wrapped, np.uint8)}
    )
    yield sealed(
        "E_EDGE", "edge-around-the-row", "an edge from the end of a row to the start of the next", around, "F25"
    )


def _report_graph() -> Iterator[Vector]:
    study = basic("r", concept_vectors=concept_vectors([0, 1, 1], 2))

    def graph(
        code: str, name: str, reason: str, column: str, index: Any, value: Any, *more: tuple[str, Any, Any]
    ) -> Vector:
        return sealed(code, name, reason, _set(study, column, index, value, *more), "F26")

    for value in (12, 255):
        yield graph("E_IDX", f"concept-label-{value}", f"concept label {value}", "concept_label", 1, value)
    yield graph("E_TEXT", "span-reversed", "a span that ends before it starts", "concept_end", 0, 3)
    yield graph("E_TEXT", "span-max", "a span that starts at the end of u32", "concept_start", 2, 2**32 - 1)
    yield graph(
        "E_ORDER",
        "concepts-descend",
        "concepts not in order of their starts",
        "concept_start",
        0,
        14,
        ("concept_end", 0, 15),
    )
    yield graph(
        "E_ORDER",
        "concepts-descend-by-end",
        "equal starts, ends descend",
        "concept_start",
        0,
        13,
        ("concept_end", 0, 22),
    )
    for value in (2, 255):
        yield graph("E_IDX", f"concept-vector-{value}", f"concept vector {value} of 2", "concept_vector", 2, value)
    for value in (4, 255):
        yield graph("E_IDX", f"concept-section-{value}", f"section {value} of a concept", "concept_section", 1, value)
    yield graph(
        "E_IDX", "section-before-span", "an unknown section, and before it a span that ends too early",
        "concept_section", 2, 4, ("concept_end", 0, 3),
    )  # fmt: skip
    for value in (3, 255):
        yield graph("E_IDX", f"triple-head-{value}", f"head {value} of 3 concepts", "triple_head", 2, value)
        yield graph("E_IDX", f"triple-tail-{value}", f"tail {value} of 3 concepts", "triple_tail", 2, value)
        yield graph("E_IDX", f"triple-relation-{value}", f"relation {value}", "triple_relation", 2, value)
        yield graph("E_IDX", f"fusion-concept-{value}", f"fusion with concept {value} of 3", "fusion_concept", 0, value)
    for value in (4, 255):
        yield graph("E_IDX", f"fusion-patch-{value}", f"fusion with patch {value} of 4", "fusion_patch", 0, value)
    yield graph("E_IDX", "triple-loop", "a triple from a concept to itself", "triple_tail", 2, 2)
    yield graph("E_ORDER", "triple-twice", "a triple twice", "triple_relation", 1, 0)
    yield graph("E_ORDER", "triples-descend", "triples descend", "triple_relation", slice(0, 2), [1, 0])
    yield graph(
        "E_ORDER",
        "triples-by-tail",
        "triples not ordered by tail",
        "triple_relation",
        slice(0, 2),
        [0, 0],
        ("triple_tail", slice(0, 2), [2, 0]),
    )


def _mentions() -> Iterator[Vector]:
    study = basic("m", concept_vectors=concept_vectors([0, 1, 1], 2), mentions=MENTIONS)

    def vector(code: str, name: str, reason: str, *changes: tuple[str, Any, Any]) -> Vector:
        (column, index, value), *more = changes
        return sealed(code, f"mention-{name}", reason, _set(study, column, index, value, *more), "F26")

    for column, values in (("concept", (3, 255)), ("label", (12, 255)), ("section", (4, 255))):
        for value in values:
            change = (f"mention_{column}", 2, value)
            yield vector("E_IDX", f"{column}-{value}", f"{column} {value} of a mention", change)
    yield vector("E_TEXT", "reversed", "a mention that ends before it starts", ("mention_end", 0, 39))
    yield vector("E_TEXT", "start-max", "a mention that starts at the end of u32", ("mention_start", 2, 2**32 - 1))
    yield vector("E_ORDER", "concepts-descend", "mentions not in order of their concepts", ("mention_concept", 1, 1),
        ("mention_concept", 0, 2))  # fmt: skip
    yield vector("E_ORDER", "starts-descend", "mentions of a concept not in order of their starts",
        ("mention_start", 1, 61), ("mention_end", 1, 68))  # fmt: skip
    yield vector("E_ORDER", "ends-descend", "two mentions start at one place, their ends descend",
        ("mention_start", 1, 60), ("mention_end", 1, 69))  # fmt: skip
    yield vector("E_ORDER", "twice", "a place that mentions a concept twice, with two labels",
        ("mention_start", 1, 60), ("mention_end", 1, 68))  # fmt: skip
    # Two rules broken at once: each is asked of all mentions before the next, between vectors and triples (R12).
    yield vector("E_IDX", "known-before-spans", "a mention reversed, and a later one of no label",
        ("mention_end", 0, 39), ("mention_label", 2, 12))  # fmt: skip
    yield vector("E_TEXT", "spans-before-order", "mentions that descend, and a later one reversed",
        ("mention_concept", 0, 2), ("mention_concept", 1, 1), ("mention_end", 2, 59))  # fmt: skip
    yield vector("E_IDX", "after-vectors", "a mention reversed, and a concept vector that is not there",
        ("mention_end", 0, 39), ("concept_vector", 0, 2))  # fmt: skip
    yield vector("E_TEXT", "before-triples", "a mention reversed, and a triple of no concept",
        ("mention_end", 0, 39), ("triple_head", 0, 3))  # fmt: skip


def _pool(study: Study, change: dict[int, bytes]) -> StudyColumns:
    """The study with strings replaced, lengths and counts following."""
    columns = study.columns()
    lengths, text = columns.graph["string_bytes"].tolist(), columns.graph["text"].tobytes()
    strings = [text[sum(lengths[:number]) : sum(lengths[: number + 1])] for number in range(len(lengths))]
    strings = [change.get(number, string) for number, string in enumerate(strings)]
    pool = b"".join(strings)
    dtype = np.uint8 if len(pool) <= 256 else np.uint16
    graph = {
        **columns.graph,
        "string_bytes": np.array([len(string) for string in strings], dtype),
        "text": np.frombuffer(pool, np.uint8),
    }
    return replace(columns, counts=replace(columns.counts, text_bytes=len(pool)), graph=graph)


def _strings() -> Iterator[Vector]:
    study = basic("s")
    concept, label = 2, 2 + len(CONCEPTS)

    def text(name: str, reason: str, change: dict[int, bytes], code: str = "E_TEXT") -> Vector:
        return sealed(code, name, reason, _pool(study, change), "F27")

    yield text("id-empty", "a study id of no byte", {0: b""})
    yield text("id-129-bytes", "a study id of 129 bytes", {0: b"x" * 129})
    yield text("concept-empty", "a concept of no byte", {concept: b""})
    yield text("label-empty", "a label name of no byte", {label: b""})
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
    for name, string in bad.items():
        yield text(f"id-{name}", f"a study id with {name.replace('-', ' ')}", {0: string})
    for name in ("latin-1", "nul", "override", "decomposed"):
        yield text(f"concept-{name}", f"a concept with {name.replace('-', ' ')}", {concept: bad[name]})
        yield text(f"label-{name}", f"a label name with {name.replace('-', ' ')}", {label + 1: bad[name]})
    yield text("labels-descend", "label names descend", {label: b"Z"}, "E_ORDER")
    yield text("labels-equal", "two labels of one name", {label: b"Pleural Effusion"}, "E_ORDER")
    for name, value in (("minus-1", 1), ("plus-1", -1)):
        lengths = study.columns().graph["string_bytes"]
        changed = _set(study, "string_bytes", concept, int(lengths[concept]) - value)
        yield sealed("E_TEXT", f"strings-{name}", "the strings do not fill the text", changed, "F27")
    yield sealed(
        "E_TEXT", "strings-max", "a string of 255 bytes in a text of fewer", _set(study, "string_bytes", -1, 255), "F27"
    )
    yield sealed(
        "E_TEXT", "report-latin-1", "a report that is not UTF-8", replace(study.columns(), report=b"caf\xe9"), "F27"
    )
    yield sealed(
        "E_TEXT",
        "report-surrogate",
        "a report with a surrogate",
        replace(study.columns(), report=b"\xed\xa0\x80"),
        "F27",
    )


def _sources() -> Iterator[Vector]:
    study = textual("m")
    for name, source in (
        ("unknown", {"patient": "x"}), ("method-key", {"model": {}}), ("report-word", {"report": "made up"}),
        ("report-number", {"report": 1}), ("films-map", {"films": {}}),
        ("films-texts", {"films": ["png"]}), ("loss-map", {"loss": {}}), ("loss-texts", {"loss": ["svd"]}),
        ("loss-number", {"loss": 0.011}), ("labeler-number", {"labeler": 1}), ("terms-array", {"terms": []}),
        ("extension-short", {"x.org": 1}), ("extension-upper", {"x.org.example.A": 1}),
    ):  # fmt: skip
        yield sealed(
            "E_TOC_KEY",
            f"source-{name}",
            f"a source map with {name.replace('-', ' ')}",
            _pool(study, {1: canonical.encode(source)}),
            "F17",
            "W1",
        )
    films: list[tuple[str, Study, int]] = [("none", basic("m"), 0), ("two", basic("m"), 2), ("no-view", study, 1)]
    for name, each, count in films:
        source = canonical.encode({"films": [{"format": "png"}] * count})
        reason = f"{count} films in provenance, {len(each.views)} in the study"
        yield sealed("E_TOC_KEY", f"source-films-{name}", reason, _pool(each, {1: source}), "F17")
    yield sealed("E_TOC_KEY", "source-array", "the source map is an array", _pool(study, {1: b"\x90"}), "F17")
    for name, data in (
        ("empty", b""), ("trailing", b"\x80\x80"), ("nil", b"\xc0"),
        ("keys-equal", b"\x82\xa5terms\xa1a\xa5terms\xa1b"), ("not-shortest", b"\x81\xa5terms\xd9\x01a"),
        ("nan", b"\x81\xafx.org.example.a\xcb\x7f\xf8" + bytes(6)),
        ("deep", b"\x81\xafx.org.example.a" + b"\x91" * 7 + b"\x90"), ("cut", b"\x81\xa5ter"),
    ):  # fmt: skip
        yield sealed(
            "E_TOC_FORM", f"source-{name}", f"a source map: {name.replace('-', ' ')}", _pool(study, {1: data}), "F14"
        )


def _numbers() -> Iterator[Vector]:
    study = basic("n")
    for name, number in (("nan", NAN), ("infinite", INFINITE), ("minus-infinite", -INFINITE)):
        yield sealed(
            "E_NUM", f"label-value-{name}", f"a label value of {number}", _set(study, "label_value", 1, number), "F28"
        )
