"""Files every reader must accept, and read the same values from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from neuralgraph.codecs import zstd
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View
from neuralgraph.graph.words import WordAttention
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, REPORT_SECTIONS, VIEW_POSITIONS
from spec.tools.vectors.draft import StreamDraft, record_draft
from spec.tools.vectors.studies import (
    CONCEPTS,
    MENTIONS,
    REPORT,
    basic,
    concept_vectors,
    draft_of,
    film,
    grid_study,
    ramp,
    record_of,
    textual,
    valid_vector,
)
from spec.tools.vectors.valid_files import file_vectors
from spec.tools.vectors.valid_forms import plain_vectors, svd_vectors
from spec.tools.vectors.vector import Vector

__all__ = ["valid_vectors"]


def valid_vectors() -> Iterator[Vector]:
    """All of them, in the order of the index."""
    yield from _shapes()
    yield from _mentions()
    yield from plain_vectors()
    yield from svd_vectors()
    yield from _streams()
    yield from _texts()
    yield from _maps()
    yield from file_vectors()


def _shapes() -> Iterator[Vector]:
    yield valid_vector(
        "smallest", draft_of(textual("a")), "no film, no concept, no label: the smallest file", "F1", "F4", "F5", "F6"
    )
    yield valid_vector(
        "basic",
        draft_of(basic()),
        "one film, patches, report graph, fusion edge, labels, provenance",
        "F22",
        "F23",
        "F24",
    )
    yield valid_vector(
        "no-concepts",
        draft_of(basic("p", concepts=(), triples=np.empty((0, 3)), labels={})),
        "patches only",
        "F7",
        "R9",
    )
    yield valid_vector(
        "no-patches",
        draft_of(grid_study("n", [film(2, 2)], 0, np.empty((0, 0), np.float32))),
        "a film without kept patches",
        "F7",
    )
    width = grid_study("n", [film(2, 2)], 0, np.empty((0, 7), np.float32), concepts=CONCEPTS, fusion=None)
    yield valid_vector("no-patches-but-a-width", draft_of(width), "embedding_dim without patches", "F7", "F10")
    yield valid_vector(
        "report-graph-only", draft_of(textual("t", concepts=CONCEPTS, triples=basic().triples)), "no film", "F26", "R9"
    )
    yield valid_vector(
        "no-fusion", draft_of(basic("f", fusion=None)), "patches and concepts, but no fusion edge is stored", "R9"
    )
    views = [film(2, 3), film(3, 2, seed=5, position="LATERAL"), film(1, 1, position="unknown")]
    yield valid_vector(
        "three-views",
        draft_of(grid_study("v", views, 6, ramp(6, 2))),
        "three films, edges within each only",
        "F22",
        "F25",
    )
    yield valid_vector(
        "one-cell", draft_of(grid_study("c", [film(1, 1)], 1, ramp(1, 1))), "one cell, one patch, one value", "F23"
    )
    yield valid_vector("every-position", draft_of(_positions()), "a film for every view position", "F22")
    yield valid_vector(
        "every-label", draft_of(_labels()), "a concept for every label, a triple for every relation", "F26"
    )
    yield valid_vector("tied-scores", draft_of(_ties()), "equal scores stand in ascending order of their cells", "F23")
    yield valid_vector("no-attention", draft_of(_dark()), "a map of zeros: step 0, every score 0", "F24")
    largest = np.nextafter(np.float32((2.0**128 - 2.0**103) / 65_025), np.float32(0))
    bright = View(32, 64, 32, 32, np.array([[255, 0]], np.uint8), float(largest))
    yield valid_vector(
        "largest-step",
        draft_of(grid_study("b", [(bright, bright.attention)], 0, np.empty((0, 0), np.float32))),
        "the largest step under which code 255 is a finite f32",
        "F22",
    )
    yield valid_vector(
        "whole-grid",
        draft_of(grid_study("w", [film(3, 3)], 9, ramp(9, 2))),
        "every cell kept, all edges of the grid",
        "F25",
    )
    view, scores = film(2, 3)
    exact = replace(view, height=64, patch_height=32.0, width=97, patch_width=np.float32(97 / 3).item())
    yield valid_vector(
        "fractional-patches",
        draft_of(grid_study("r", [(exact, scores)], 2, ramp(2, 2))),
        "patches of 97/3 pixels",
        "F22",
    )
    extreme = {"a": -1.0, "b": 0.0, "c": 1.0, "d": -0.0, "e": 3.4028234663852886e38, "f": 1.401298464324817e-45}
    yield valid_vector(
        "label-values",
        draft_of(basic("l", labels=extreme)),
        "labels: uncertain, absent, present and extremes of f32",
        "F28",
    )
    spans = (
        Concept("a", CONCEPT_LABELS[0], 0, 0),
        Concept("b", CONCEPT_LABELS[0], 0, 0),
        Concept("c", CONCEPT_LABELS[3], 0, 2**32 - 1),
    )
    yield valid_vector("equal-spans", draft_of(textual("s", concepts=spans)), "empty, equal and huge spans", "F26")


def _mentions() -> Iterator[Vector]:
    """Sections of concepts, and places that say a concept once more."""
    yield valid_vector(
        "mentions",
        draft_of(basic("m", mentions=MENTIONS)),
        "one concept mentioned once more, one twice in other words, one nowhere else",
        "F26",
        "R4",
    )
    sections = tuple(
        Concept(f"c{number}", CONCEPT_LABELS[0], number, number + 1, section)
        for number, section in enumerate(REPORT_SECTIONS)
    )
    everywhere = tuple(Mention(0, CONCEPT_LABELS[0], 9, 9 + n, section) for n, section in enumerate(REPORT_SECTIONS))
    yield valid_vector(
        "every-section",
        draft_of(textual("s", concepts=sections, mentions=everywhere)),
        "a concept and a mention for every section; equal starts ascend by their ends",
        "F26",
    )
    labels = tuple(Mention(0, label, number, number) for number, label in enumerate(CONCEPT_LABELS))
    yield valid_vector(
        "mentions-every-label",
        draft_of(textual("l", concepts=CONCEPTS, mentions=labels)),
        "a mention for every label, their spans empty",
        "F26",
    )
    shared = [Mention(number, CONCEPT_LABELS[3], 0, 2**32 - 1, "findings") for number in range(3)]
    yield valid_vector(
        "mentions-one-span",
        draft_of(textual("o", concepts=CONCEPTS, mentions=tuple(shared))),
        "the largest span mentions three concepts",
        "F26",
    )
    many = tuple(Concept(f"c{number}", CONCEPT_LABELS[0], number, number) for number in range(300))
    far = (Mention(0, CONCEPT_LABELS[0], 1, 2, "findings"), Mention(299, CONCEPT_LABELS[5], 3, 4, "addendum"))
    yield valid_vector(
        "mentions-u16",
        draft_of(textual("u", concepts=many, mentions=far)),
        "mentions among more than 256 concepts: their numbers are u16",
        "F26",
    )


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


def _streams() -> Iterator[Vector]:
    yield valid_vector("report", draft_of(basic("r", report=REPORT)), "the report is stored", "F27", "R4")
    yield valid_vector("report-long", draft_of(basic("r", report=REPORT * 40)), "a report that is compressed", "F20")
    yield valid_vector(
        "report-empty", draft_of(basic("r", report="")), "an empty report is not the same as none", "F12"
    )
    eight = (np.arange(4 * 3 * 2) * 10).reshape(4, 3, 2)
    yield valid_vector(
        "pixels-u8", draft_of(basic("p", pixels=eight.astype(np.uint8))), "pixel patches of one byte", "F13"
    )
    yield valid_vector(
        "pixels-u16", draft_of(basic("p", pixels=(eight * 271).astype(np.uint16))), "pixel patches of two bytes", "F13"
    )
    yield valid_vector(
        "pixels-compressed",
        draft_of(basic("p", pixels=np.full((4, 16, 16), 7, np.uint8))),
        "pixel patches that are compressed",
        "F13",
        "F20",
    )
    extensions = {"x.org.example.vitals": b"\x00\xff", "x.org.example.a": b"", "x.net.a-b.c0.z-9": b"payload" * 3}
    yield valid_vector(
        "extensions",
        draft_of(basic("e", extensions=extensions)),
        "three extension streams, one without payload",
        "F10",
        "F8",
        "R16",
    )
    everything: dict[str, Any] = {
        "report": REPORT, "pixels": eight.astype(np.uint8), "extensions": extensions, "mentions": MENTIONS
    }  # fmt: skip
    whole = basic("all", concept_vectors=concept_vectors([0, 1, 2], 4), **everything)
    yield valid_vector("everything", draft_of(whole), "every kind of stream in one record", "F8", "F10", "R4")
    yield from _words()
    draft = draft_of(basic())
    record = record_draft(draft.records[0])
    record.streams.insert(1, StreamDraft(0x11, 0, b"a column of a later version", 27))
    record.streams.insert(2, StreamDraft(0x1F, 0, b"", 0))
    yield valid_vector(
        "unknown-optional-columns",
        draft.with_records(record.pack()),
        "optional columns 0x11 and 0x1F are ignored",
        "F10",
    )
    record = record_draft(draft_of(basic()).records[0])
    record.streams.insert(1, StreamDraft(0x12, 9, b"in an encoding of a later version", 1000))
    yield valid_vector(
        "unknown-optional-encoding",
        draft.with_records(record.pack()),
        "an optional column is ignored, its encoding too",
        "F10",
        "R3",
    )
    record = record_draft(draft_of(basic("z", report="")).records[0])
    record.stream(2).encoding, record.stream(2).stored = 1, zstd.encode(b"")
    yield valid_vector(
        "zstd-empty", replace(draft_of(basic("z")), records=[record.pack()]), "a zstd frame without content", "F20"
    )
    stored = draft_of(basic("stored", report=REPORT * 9))
    for name, level in (("zstd-level-1", 1), ("zstd-level-19", 19)):
        columns = basic("stored", report=REPORT * 9).columns()
        yield valid_vector(
            name, replace(stored, records=[record_of(columns, level=level)]), f"streams compressed at {name[5:]}", "F20"
        )
    record = record_draft(stored.records[0])
    raw = (REPORT * 9).encode()
    record.stream(2).encoding, record.stream(2).stored = 0, raw
    yield valid_vector(
        "stored-uncompressed",
        replace(stored, records=[record.pack()]),
        "a stream that could be compressed but is stored",
        "F12",
    )
    blocks = b"".join(
        _raw_block(raw[start : start + 100], last=start + 100 >= len(raw)) for start in range(0, len(raw), 100)
    )
    frame = b"\x28\xb5\x2f\xfd\x60" + (len(raw) - 256).to_bytes(2, "little") + blocks
    record.stream(2).encoding, record.stream(2).stored = 1, frame
    yield valid_vector(
        "zstd-raw-blocks", replace(stored, records=[record.pack()]), "a zstd frame of four raw blocks", "F20"
    )
    window = b"\x28\xb5\x2f\xfd\x40\x68" + (len(raw) - 256).to_bytes(2, "little") + blocks
    record.stream(2).stored = window
    yield valid_vector(
        "zstd-largest-window", replace(stored, records=[record.pack()]), "a window of exactly 8 MiB", "F20"
    )
    run = basic("run", report="a" * 300)
    record = record_draft(draft_of(run).records[0])
    record.stream(2).stored = b"\x28\xb5\x2f\xfd\x60\x2c\x00" + (300 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"a"
    record.stream(2).encoding = 1
    yield valid_vector(
        "zstd-run-block", replace(draft_of(run), records=[record.pack()]), "a zstd frame of one run-length block", "F20"
    )


def _raw_block(data: bytes, *, last: bool) -> bytes:
    return (len(data) << 3 | int(last)).to_bytes(3, "little") + data


def _texts() -> Iterator[Vector]:
    words = ("Lungenödem", "胸水", "Тень", "صدر", "หัวใจ", "हृदय", "心肥大", "🫁")
    concepts = tuple(Concept(word, CONCEPT_LABELS[3], number, number + 1) for number, word in enumerate(words))
    labels = {"Größe": 1.0, "気胸": -1.0, "z": 0.0}
    yield valid_vector(
        "unicode",
        draft_of(
            basic(
                "étude-研究-исследование",
                concepts=concepts,
                triples=np.empty((0, 3)),
                labels=labels,
                report=" ".join(words) + "\r\n\t\u202e",
            )
        ),
        "text of many scripts; a report may hold anything that is UTF-8",
        "F27",
        "F14",
    )
    yield valid_vector(
        "unicode-14",
        draft_of(textual("id", concepts=(Concept("\U0001e290\U0001fae0", CONCEPT_LABELS[3], 0, 2),))),
        "characters that Unicode has since version 14.0",
        "F27",
    )
    yield valid_vector("id-128-bytes", draft_of(textual("x" * 128)), "the longest id", "F27")
    yield valid_vector("id-as-a-path", draft_of(textual("../a/b\\c: d")), "an id is not a file name", "F27")
    long = Concept("w" * 70_000, CONCEPT_LABELS[0], 0, 70_000)
    yield valid_vector(
        "long-text", draft_of(textual("l", concepts=(long,))), "more than 65,536 bytes of text: lengths are u32", "F27"
    )


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
    yield valid_vector(
        "map-values",
        draft_of(textual("m", provenance=value)),
        "every kind of value at the edges of its encodings",
        "F14",
        "F17",
    )
    for kind in ("given", "generated", "none"):
        yield valid_vector(
            f"report-kind-{kind}", draft_of(textual("k", provenance={"report": kind})), f"report = {kind}", "F17"
        )
    model = {"model": {"name": "m", "digest": "0", "trained": True, "dtype": "float32"}}
    yield valid_vector(
        "model-dtype", draft_of(textual("d", provenance=model)), "every member that model may have", "F17"
    )
    loss = [{"form": "svd", "bound": 0.011, "largest": 0.0625, "rmse": 0.0109, "cosine": 6.1e-05}, {}]
    yield valid_vector("loss", draft_of(textual("l", provenance={"loss": loss})), "what two storings lost", "F17")
    draft = draft_of(textual("e"))
    draft.toc = lambda value: {**value, "meta": {**value["meta"], "ext": {"anything": [1]}}}
    yield valid_vector("contents-ext", draft, "the member ext of meta", "F15")


def _words() -> Iterator[Vector]:
    maps = ramp(4, 12) ** 2
    two_views = grid_study("views", [film(3, 4), film(2, 2, seed=3)], 5, ramp(5, 1))
    for name, study, reason in (
        (
            "word-attention",
            basic("w", report=REPORT, word_attention=WordAttention.from_maps([0, 4, 9, 9 + 7], [3, 9, 16, 20], maps)),
            "maps of four words, two of them touching",
        ),
        (
            "word-attention-zero",
            basic("w", word_attention=WordAttention.from_maps([7], [8], np.zeros((1, 12)))),
            "a map of one word that is zero everywhere, without a report",
        ),
        (
            "word-attention-views",
            replace(two_views, word_attention=WordAttention.from_maps([0, 2], [1, 2**32 - 1], ramp(2, 16) ** 2)),
            "maps over the cells of two views, and the largest span",
        ),
    ):
        yield valid_vector(name, draft_of(study), reason, "F31", "F32", "F10")
