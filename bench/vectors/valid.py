"""Files every reader must accept, and read the same values from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bench.vectors.draft import Draft, SectionDraft, StreamDraft, put, record_draft
from bench.vectors.studies import (
    CONCEPTS,
    METHOD,
    REPORT,
    SOURCE,
    basic,
    concept_vectors,
    draft_of,
    film,
    grid_study,
    ramp,
    record_of,
    textual,
)
from bench.vectors.vector import Vector
from neuralgraph.codecs import zstd
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.study import Patches, Study
from neuralgraph.graph.view import View
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, VIEW_POSITIONS

__all__ = ["valid_vectors"]


def _v(name: str, draft: Draft, reason: str, *requirements: str) -> Vector:
    return Vector(name, draft.pack(), reason, requirements)


def valid_vectors() -> Iterator[Vector]:
    """All of them, in the order of the index."""
    yield from _shapes()
    yield from _forms()
    yield from _streams()
    yield from _texts()
    yield from _maps()
    yield from _framing()
    yield from _archives()
    yield from _large()


def _shapes() -> Iterator[Vector]:
    yield _v("smallest", draft_of(textual("a")), "no film, no concept, no label: the smallest file", "F1", "F4", "F5", "F6")
    yield _v("basic", draft_of(basic()), "one film, patches, report graph, fusion edge, labels, provenance", "F22", "F23", "F24")
    yield _v("no-concepts", draft_of(basic("p", concepts=(), triples=np.empty((0, 3)), labels={})), "patches only", "F7", "R9")
    yield _v("no-patches", draft_of(grid_study("n", [film(2, 2)], 0, np.empty((0, 0), np.float32))), "a film without kept patches", "F7")
    width = grid_study("n", [film(2, 2)], 0, np.empty((0, 7), np.float32), concepts=CONCEPTS, fusion=None)
    yield _v("no-patches-but-a-width", draft_of(width), "embedding_dim without patches", "F7", "F10")
    yield _v("report-graph-only", draft_of(textual("t", concepts=CONCEPTS, triples=basic().triples)), "no film", "F26", "R9")
    yield _v("no-fusion", draft_of(basic("f", fusion=None)), "patches and concepts, but no fusion edge is stored", "R9")
    views = [film(2, 3), film(3, 2, seed=5, position="LATERAL"), film(1, 1, position="unknown")]
    yield _v("three-views", draft_of(grid_study("v", views, 6, ramp(6, 2))), "three films, edges within each only", "F22", "F25")
    yield _v("one-cell", draft_of(grid_study("c", [film(1, 1)], 1, ramp(1, 1))), "one cell, one patch, one value", "F23")
    yield _v("every-position", draft_of(_positions()), "a film for every view position", "F22")
    yield _v("every-label", draft_of(_labels()), "a concept for every label, a triple for every relation", "F26")
    yield _v("tied-scores", draft_of(_ties()), "equal scores stand in ascending order of their cells", "F23")
    yield _v("no-attention", draft_of(_dark()), "a map of zeros: step 0, every score 0", "F24")
    yield _v("whole-grid", draft_of(grid_study("w", [film(3, 3)], 9, ramp(9, 2))), "every cell kept, all edges of the grid", "F25")
    view, scores = film(2, 3)
    exact = replace(view, height=64, patch_height=32.0, width=97, patch_width=np.float32(97 / 3).item())
    yield _v("fractional-patches", draft_of(grid_study("r", [(exact, scores)], 2, ramp(2, 2))), "patches of 97/3 pixels", "F22")
    extreme = {"a": -1.0, "b": 0.0, "c": 1.0, "d": -0.0, "e": 3.4028234663852886e38, "f": 1.401298464324817e-45}
    yield _v("label-values", draft_of(basic("l", labels=extreme)), "labels: uncertain, absent, present and extremes of f32", "F28")
    spans = (Concept("a", CONCEPT_LABELS[0], 0, 0), Concept("b", CONCEPT_LABELS[0], 0, 0), Concept("c", CONCEPT_LABELS[3], 0, 2**32 - 1))
    yield _v("equal-spans", draft_of(textual("s", concepts=spans)), "empty, equal and huge spans", "F26")


def _positions() -> Study:
    views = [film(1, 2, seed=number, position=position) for number, position in enumerate(VIEW_POSITIONS)]
    return grid_study("positions", views, 3, ramp(3, 1))


def _labels() -> Study:
    concepts = tuple(Concept(f"c{number}", label, number, number + 1) for number, label in enumerate(CONCEPT_LABELS))
    return textual("labels", concepts=concepts, triples=np.array([[0, 0, 1], [0, 1, 1], [0, 2, 1]]))


def _ties() -> Study:
    scores = np.array([[1, 2, 2], [2, 1, 2]], np.float32)
    view = View.from_scores(scores, height=64, width=96, patch_height=32, patch_width=32)
    return grid_study("ties", [(view, scores)], 4, ramp(4, 1))


def _dark() -> Study:
    scores = np.zeros((2, 2), np.float32)
    view = View.from_scores(scores, height=64, width=64, patch_height=32, patch_width=32)
    return grid_study("dark", [(view, scores)], 2, ramp(2, 1))


def _forms() -> Iterator[Vector]:
    with_vectors = {"concept_vectors": concept_vectors([0, 1, 1], 3)}
    for form in ("float32", "bfloat16", "float16", "int8"):
        draft = draft_of(basic(form, **with_vectors), embedding=form, concept_vectors=form)
        yield _v(f"form-{form}", draft, f"embedding and concept vectors as {form}", "F10", "F11", "F21", "R4")
    mixed = draft_of(basic("mixed", **with_vectors), embedding="int8", concept_vectors="bfloat16")
    yield _v("form-mixed", mixed, "embedding as int8, concept vectors as bfloat16", "F10")
    edge = np.array([[0.0, -0.0], [1.401298464324817e-45, -1.1754943508222875e-38], [3.4028234663852886e38, -3.4028234663852886e38]], np.float32)
    yield _v("extremes-float32", draft_of(grid_study("x", [film(2, 2)], 3, edge)), "signed zeros, subnormals, largest f32", "F21", "F28")
    half = np.array([[0.0, -0.0], [5.960464477539063e-08, -6.097555160522461e-05], [65504.0, -65504.0]], np.float32)
    yield _v("extremes-float16", draft_of(grid_study("x", [film(2, 2)], 3, half), embedding="float16"), "signed zeros, subnormals, largest binary16", "F21")
    codes = np.array([[0.0, 0.0, 0.0], [-127.0, 127.0, 1.0], [1e-44, -1e-44, 0.0]], np.float32)
    yield _v("extremes-int8", draft_of(grid_study("x", [film(2, 2)], 3, codes), embedding="int8"), "a row of zeros, codes -127 and 127, a subnormal scale", "F21")


def _streams() -> Iterator[Vector]:
    yield _v("report", draft_of(basic("r", report=REPORT)), "the report is stored", "F27", "R4")
    yield _v("report-long", draft_of(basic("r", report=REPORT * 40)), "a report that is compressed", "F20")
    yield _v("report-empty", draft_of(basic("r", report="")), "an empty report is not the same as none", "F12")
    eight = (np.arange(4 * 3 * 2) * 10).reshape(4, 3, 2)
    yield _v("pixels-u8", draft_of(basic("p", pixels=eight.astype(np.uint8))), "pixel patches of one byte", "F13")
    yield _v("pixels-u16", draft_of(basic("p", pixels=(eight * 271).astype(np.uint16))), "pixel patches of two bytes", "F13")
    yield _v("pixels-compressed", draft_of(basic("p", pixels=np.full((4, 16, 16), 7, np.uint8))), "pixel patches that are compressed", "F13", "F20")
    extensions = {"x.org.example.vitals": b"\x00\xff", "x.org.example.a": b"", "x.net.a-b.c0.z-9": b"payload" * 3}
    yield _v("extensions", draft_of(basic("e", extensions=extensions)), "three extension streams, one without payload", "F10", "F8")
    everything: dict[str, Any] = {"report": REPORT, "pixels": eight.astype(np.uint8), "extensions": extensions}
    whole = basic("all", concept_vectors=concept_vectors([0, 1, 2], 4), **everything)
    yield _v("everything", draft_of(whole), "every kind of stream in one record", "F8", "F10", "R4")
    draft = draft_of(basic())
    record = record_draft(draft.records[0])
    record.streams.insert(1, StreamDraft(0x10, 0, b"a column of a later version", 27))
    record.streams.insert(2, StreamDraft(0x1F, 0, b"", 0))
    yield _v("unknown-optional-streams", draft.with_records(record.pack()), "optional columns 0x10 and 0x1F are ignored", "F10")
    record = record_draft(draft_of(basic()).records[0])
    record.streams.insert(1, StreamDraft(0x12, 9, b"in an encoding of a later version", 1000))
    yield _v("unknown-optional-encoding", draft.with_records(record.pack()), "an optional column is ignored, its encoding too", "F10", "R3")
    record = record_draft(draft_of(basic("z", report="")).records[0])
    record.stream(2).encoding, record.stream(2).stored = 1, zstd.encode(b"")
    yield _v("zstd-empty", replace(draft_of(basic("z")), records=[record.pack()]), "a zstd frame without content", "F20")
    stored = draft_of(basic("stored", report=REPORT * 9))
    for name, level in (("zstd-level-1", 1), ("zstd-level-19", 19)):
        columns = basic("stored", report=REPORT * 9).columns()
        yield _v(name, replace(stored, records=[record_of(columns, level=level)]), f"streams compressed at {name[5:]}", "F20")
    record = record_draft(stored.records[0])
    raw = (REPORT * 9).encode()
    record.stream(2).encoding, record.stream(2).stored = 0, raw
    yield _v("stored-uncompressed", replace(stored, records=[record.pack()]), "a stream that could be compressed but is stored", "F12")
    blocks = b"".join(_raw_block(raw[start : start + 100], start + 100 >= len(raw)) for start in range(0, len(raw), 100))
    frame = b"\x28\xb5\x2f\xfd\x60" + (len(raw) - 256).to_bytes(2, "little") + blocks
    record.stream(2).encoding, record.stream(2).stored = 1, frame
    yield _v("zstd-raw-blocks", replace(stored, records=[record.pack()]), "a zstd frame of four raw blocks", "F20")
    window = b"\x28\xb5\x2f\xfd\x40\x68" + (len(raw) - 256).to_bytes(2, "little") + blocks
    record.stream(2).stored = window
    yield _v("zstd-largest-window", replace(stored, records=[record.pack()]), "a window of exactly 8 MiB", "F20")
    run = basic("run", report="a" * 300)
    record = record_draft(draft_of(run).records[0])
    record.stream(2).stored = b"\x28\xb5\x2f\xfd\x60\x2c\x00" + (300 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"a"
    record.stream(2).encoding = 1
    yield _v("zstd-run-block", replace(draft_of(run), records=[record.pack()]), "a zstd frame of one run-length block", "F20")


def _raw_block(data: bytes, last: bool) -> bytes:
    return (len(data) << 3 | int(last)).to_bytes(3, "little") + data


def _texts() -> Iterator[Vector]:
    words = ("Lungenödem", "胸水", "Тень", "صدر", "หัวใจ", "हृदय", "心肥大", "🫁")
    concepts = tuple(Concept(word, CONCEPT_LABELS[3], number, number + 1) for number, word in enumerate(words))
    labels = {"Größe": 1.0, "気胸": -1.0, "z": 0.0}
    yield _v("unicode", draft_of(basic("étude-研究-исследование", concepts=concepts, triples=np.empty((0, 3)), labels=labels, report=" ".join(words) + "\r\n\t\u202e")), "text of many scripts; a report may hold anything that is UTF-8", "F27", "F14")
    yield _v("id-128-bytes", draft_of(textual("x" * 128)), "the longest id", "F27")
    yield _v("id-as-a-path", draft_of(textual("../a/b\\c: d")), "an id is not a file name", "F27")
    long = Concept("w" * 70_000, CONCEPT_LABELS[0], 0, 70_000)
    yield _v("long-text", draft_of(textual("l", concepts=(long,))), "more than 65,536 bytes of text: lengths are u32", "F27")


def _maps() -> Iterator[Vector]:
    value = {
        "x.org.example.values": [
            True, False, b"\x00", b"", "", 0, -1, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53 - 1,
            -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**53) + 1, 0.0, -0.0, 1.5, 1e300, 5e-324,
            "s" * 31, "s" * 32, "s" * 256, b"b" * 256, list(range(15)), list(range(16)), {}, {"b": 1, "a": [[[[{}]]]]},
            {f"k{number:02}": number for number in range(16)}, "ключ",
        ],
        "report": "none",
    }  # fmt: skip
    yield _v("map-values", draft_of(textual("m", provenance=value)), "every kind of value at the edges of its encodings", "F14", "F17")
    for kind in ("given", "generated", "none"):
        yield _v(f"report-kind-{kind}", draft_of(textual("k", provenance={"report": kind})), f"report = {kind}", "F17")
    draft = draft_of(textual("e"))
    draft.toc = lambda value: {**value, "meta": {**value["meta"], "ext": {"anything": [1]}}}
    yield _v("contents-ext", draft, "the member ext of meta", "F15")


def _framing() -> Iterator[Vector]:
    draft = draft_of(basic())
    yield _v("optional-features", replace(draft, prologue=put(16, "Q", 2**64 - 1)), "all unused bits set", "R1")
    yield _v("minor-version", replace(draft, prologue=put(25, "B", 7)), "a later minor version", "R1")
    section = SectionDraft("later", 0, b"a section of a later version")
    yield _v("unknown-section", replace(draft, more_sections=[section]), "an unknown section that is not critical", "F15", "F16")
    copy_safe = SectionDraft("x.org.example.notes", 2, b"copy me")
    yield _v("extension-section", replace(draft, more_sections=[section, copy_safe]), "two unknown sections, one copy-safe", "F16")
    pages = SectionDraft("pages", 0, bytes(65_537))
    yield _v("two-pages", replace(draft, more_sections=[pages]), "a section of 65,537 bytes has two pages", "R7")
    longest = "x." + ".".join(["a" * 32] * 6) + "." + "b" * 32
    yield _v("longest-name", replace(draft, more_sections=[SectionDraft(longest, 0, b"1"), SectionDraft("a" * 32, 0, b"1")]), "the longest names", "F15")


def _archives() -> Iterator[Vector]:
    five = [basic("five-0"), textual("five-1"), basic("a-two", labels={}), basic("Five"), textual("ünf")]
    yield _v("archive-of-five", draft_of(*five), "five studies; keys are in byte order of the ids", "F16", "F18", "F19", "R5", "R8")
    methods = [basic("m1"), basic("m2", provenance={**SOURCE, **METHOD, "prune": {"policy": "fraction", "value": 0.5}})]
    yield _v("archive-of-two-methods", draft_of(*methods), "two methods, in order of their digests", "F18", "F19")
    scripts = ["a", "Z", "é", "я", "ع", "ก", "漢", "𝒳", "0", "-"]
    yield _v("archive-of-scripts", draft_of(*[textual(name) for name in scripts]), "ids of many scripts, in and out of the BMP", "F19")
    yield _v("archive-mixed-forms", _mixed(), "two records with different forms and streams", "F10", "F18")
    yield _v("archive-of-two", draft_of(textual("b"), textual("a")), "an even number of records; no padding in keys", "F19")


def _mixed() -> Draft:
    first, second = basic("i8", report=REPORT), basic("f16")
    draft = draft_of(first, second)
    return draft.with_records(record_of(first.columns(), embedding="int8"), record_of(second.columns(), embedding="float16"))


def _large() -> Iterator[Vector]:
    yield _v("indices-u16", draft_of(grid_study("u16", [film(18, 17)], 280, ramp(280, 1))), "more than 256 cells and patches: indices are u16", "F23", "F25")
    yield _v("indices-256", draft_of(grid_study("u8", [film(16, 16)], 256, ramp(256, 1))), "exactly 256 cells and patches: indices are u8", "F23", "F25")
    concepts = tuple(Concept(f"c{number}", CONCEPT_LABELS[number % 12], number, number + 2) for number in range(300))
    triples = np.array([[0, 0, 299], [256, 1, 255], [299, 2, 0]])
    vectors = concept_vectors([number % 290 for number in range(300)], 1)
    yield _v("concepts-u16", draft_of(textual("c", concepts=concepts, triples=triples, concept_vectors=vectors)), "more than 256 concepts and concept vectors", "F26")
    yield _v("cells-u32", draft_of(_wide()), "more than 65,536 cells: cell numbers are u32", "F22", "F23")
    noisy, smooth = ramp(16, 192), np.round(ramp(16, 192) / 4)
    yield _v("embedding-stored", draft_of(grid_study("e", [film(6, 6)], 16, noisy)), "planes of noise are stored", "F12")
    yield _v("embedding-compressed", draft_of(grid_study("e", [film(6, 6)], 16, smooth)), "planes that compress", "F20")


def _wide() -> Study:
    code = np.zeros((257, 257), np.uint8)
    code[256, 255], code[256, 256], code[0, 0] = 3, 2, 1
    view = View(257, 257, 1.0, 1.0, code, 0.5)
    patches = Patches([256, 256, 0], [255, 256, 0], [4.5, 2.0, 0.5], ramp(3, 1))
    return Study("wide", (view,), patches)
