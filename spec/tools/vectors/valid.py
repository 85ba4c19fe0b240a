"""Files every reader must accept, and read the same values from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuralgraph.codecs import zstd
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.view import View
from neuralgraph.graph.words import WordAttention
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, REPORT_SECTIONS, VIEW_POSITIONS
from spec.tools.vectors.draft import ZSTD_MAGIC, StreamDraft, stream, without, zstd_block
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
    scored,
    textual,
)
from spec.tools.vectors.valid_files import archives, framing, wide_studies
from spec.tools.vectors.valid_forms import plain_forms, svd_forms
from spec.tools.vectors.vector import Table, each

__all__ = ["valid_vectors"]

ANATOMY, OBSERVATION = CONCEPT_LABELS[0], CONCEPT_LABELS[3]
NO_TRIPLES = np.empty((0, 3))


def valid_vectors() -> Table:
    """All of them."""
    return {
        **_shapes(), **_mentions(), **plain_forms(), **svd_forms(), **_streams(), **_word_attention(), **_stored(),
        **_texts(), **_maps(), **framing(), **archives(), **wide_studies(),
    }  # fmt: skip


def _shapes() -> Table:
    largest = np.nextafter(np.float32((2.0**128 - 2.0**103) / 65_025), np.float32(0))
    bright = View(32, 64, 32, 32, np.array([[255, 0]], np.uint8), float(largest))
    view, scores = film(2, 3)
    exact = replace(view, height=64, patch_height=32.0, width=97, patch_width=np.float32(97 / 3).item())
    positions = [film(1, 2, seed=number, position=position) for number, position in enumerate(VIEW_POSITIONS)]
    extreme = {"a": -1.0, "b": 0.0, "c": 1.0, "d": -0.0, "e": 3.4028234663852886e38, "f": 1.401298464324817e-45}
    spans = (Concept("a", ANATOMY, 0, 0), Concept("b", ANATOMY, 0, 0), Concept("c", OBSERVATION, 0, 2**32 - 1))
    labels = tuple(Concept(f"c{number}", label, number, number + 1) for number, label in enumerate(CONCEPT_LABELS))
    return {
        "F1 F4 F5 F6 smallest: no film, no concept, no label: the smallest file": textual("a"),
        "F22 F23 F24 basic: one film, patches, report graph, fusion edge, labels, provenance": basic(),
        "F7 R9 no-concepts: patches only": basic("p", concepts=(), triples=NO_TRIPLES, labels={}),
        "F7 no-patches: a film without kept patches": grid_study("n", [film(2, 2)], 0),
        "F7 F10 no-patches-but-a-width: embedding_dim without patches":
            grid_study("n", [film(2, 2)], 0, ramp(0, 7), concepts=CONCEPTS, fusion=None),
        "F26 R9 report-graph-only: no film": textual("t", concepts=CONCEPTS, triples=basic().triples),
        "R9 no-fusion: patches and concepts, but no fusion edge is stored": basic("f", fusion=None),
        "F22 F25 three-views: three films, edges within each only":
            grid_study("v", [film(2, 3), film(3, 2, seed=5, position="LATERAL"), film(1, 1, position="unknown")], 6,
                ramp(6, 2)),
        "F23 one-cell: one cell, one patch, one value": grid_study("c", [film(1, 1)], 1),
        "F22 every-position: a film for every view position": grid_study("positions", positions, 3),
        "F26 every-label: a concept for every label, a triple for every relation":
            textual("labels", concepts=labels, triples=[[0, 0, 1], [0, 1, 1], [0, 2, 1]]),
        "F23 tied-scores: equal scores stand in ascending order of their cells":
            grid_study("ties", [scored([[1, 2, 2], [2, 1, 2]])], 4),
        "F24 no-attention: a map of zeros: step 0, every score 0":
            grid_study("dark", [scored(np.zeros((2, 2)))], 2),
        "F22 largest-step: the largest step under which code 255 is a finite f32":
            grid_study("b", [(bright, bright.attention)], 0),
        "F25 whole-grid: every cell kept, all edges of the grid": grid_study("w", [film(3, 3)], 9, ramp(9, 2)),
        "F22 fractional-patches: patches of 97/3 pixels": grid_study("r", [(exact, scores)], 2, ramp(2, 2)),
        "F28 label-values: labels: uncertain, absent, present and extremes of f32": basic("l", labels=extreme),
        "F26 equal-spans: empty, equal and huge spans": textual("s", concepts=spans),
    }  # fmt: skip


def _mentions() -> Table:
    """Sections of concepts, and places that say a concept once more."""
    sections = tuple(Concept(f"c{n}", ANATOMY, n, n + 1, section) for n, section in enumerate(REPORT_SECTIONS))
    everywhere = tuple(Mention(0, ANATOMY, 9, 9 + n, section) for n, section in enumerate(REPORT_SECTIONS))
    labels = tuple(Mention(0, label, number, number) for number, label in enumerate(CONCEPT_LABELS))
    shared = tuple(Mention(number, OBSERVATION, 0, 2**32 - 1, "findings") for number in range(3))
    many = tuple(Concept(f"c{number}", ANATOMY, number, number) for number in range(300))
    far = (Mention(0, ANATOMY, 1, 2, "findings"), Mention(299, CONCEPT_LABELS[5], 3, 4, "addendum"))
    return {
        "F26 R4 mentions: one concept mentioned once more, one twice in other words, one nowhere else":
            basic("m", mentions=MENTIONS),
        "F26 every-section: a concept and a mention for every section; equal starts ascend by their ends":
            textual("s", concepts=sections, mentions=everywhere),
        "F26 mentions-every-label: a mention for every label, their spans empty":
            textual("l", concepts=CONCEPTS, mentions=labels),
        "F26 mentions-one-span: the largest span mentions three concepts":
            textual("o", concepts=CONCEPTS, mentions=shared),
        "F26 mentions-u16: mentions among more than 256 concepts: their numbers are u16":
            textual("u", concepts=many, mentions=far),
    }  # fmt: skip


EIGHT = (np.arange(4 * 3 * 2) * 10).reshape(4, 3, 2).astype(np.uint8)
EXTENSIONS = {"x.org.example.vitals": b"\x00\xff", "x.org.example.a": b"", "x.net.a-b.c0.z-9": b"payload" * 3}


def _streams() -> Table:
    whole = basic(
        "all",
        concept_vectors=concept_vectors([0, 1, 2], 4),
        report=REPORT,
        pixels=EIGHT,
        extensions=EXTENSIONS,
        mentions=MENTIONS,
    )
    return {
        "F27 R4 report: the report is stored": basic("r", report=REPORT),
        "F20 report-long: a report that is compressed": basic("r", report=REPORT * 40),
        "F12 report-empty: an empty report is not the same as none": basic("r", report=""),
        "F13 pixels-u8: pixel patches of one byte": basic("p", pixels=EIGHT),
        "F13 pixels-u16: pixel patches of two bytes": basic("p", pixels=EIGHT.astype(np.uint16) * 271),
        "F13 F20 pixels-compressed: pixel patches that are compressed":
            basic("p", pixels=np.full((4, 16, 16), 7, np.uint8)),
        "F10 F8 R16 extensions: three extension streams, one without payload": basic("e", extensions=EXTENSIONS),
        "F8 F10 R4 everything: every kind of stream in one record": whole,
    }  # fmt: skip


def _word_attention() -> Table:
    four = WordAttention.from_maps([0, 4, 9, 9 + 7], [3, 9, 16, 20], ramp(4, 12) ** 2)
    zero = WordAttention.from_maps([7], [8], np.zeros((1, 12)))
    far = WordAttention.from_maps([0, 2], [1, 2**32 - 1], ramp(2, 16) ** 2)
    two_views = grid_study("views", [film(3, 4), film(2, 2, seed=3)], 5)
    return {
        "F31 F32 F10 word-attention: maps of four words, two of them touching":
            basic("w", report=REPORT, word_attention=four),
        "F31 F32 F10 word-attention-zero: a map of one word that is zero everywhere, without a report":
            basic("w", word_attention=zero),
        "F31 F32 F10 word-attention-views: maps over the cells of two views, and the largest span":
            replace(two_views, word_attention=far),
    }  # fmt: skip


def _stored() -> Table:
    """Streams as only another writer stores them."""
    later = [StreamDraft(0x11, 0, b"a column of a later version", 27), StreamDraft(0x1F, 0, b"", 0)]
    encoded = StreamDraft(0x12, 9, b"in an encoding of a later version", 1000)
    text = REPORT * 9
    columns, stored, raw = basic("stored", report=text).columns(), draft_of(basic("stored", report=text)), text.encode()
    starts = range(0, len(raw), 100)
    blocks = [zstd_block(raw[start : start + 100], last=start == starts[-1]) for start in starts]
    frame = (len(raw) - 256).to_bytes(2, "little") + b"".join(blocks)
    run = ZSTD_MAGIC + b"\x60\x2c\x00" + zstd_block(b"a", 300, kind=1)
    return {
        "F10 unknown-optional-columns: optional columns 0x11 and 0x1F are ignored":
            draft_of(basic()).changed(without((), *later)),
        "F10 R3 unknown-optional-encoding: an optional column is ignored, its encoding too":
            draft_of(basic()).changed(without((), encoded)),
        "F20 zstd-empty: a zstd frame without content":
            draft_of(basic("z", report="")).changed(stream(2, encoding=1, stored=zstd.encode(b""))),
        **each("F20 zstd-level-{value}: streams compressed at level-{value}", (1, 19),
            lambda level: stored.with_records(record_of(columns, level=level))),
        "F12 stored-uncompressed: a stream that could be compressed but is stored":
            stored.changed(stream(2, encoding=0, stored=raw)),
        "F20 zstd-raw-blocks: a zstd frame of four raw blocks":
            stored.changed(stream(2, encoding=1, stored=ZSTD_MAGIC + b"\x60" + frame)),
        "F20 zstd-largest-window: a window of exactly 8 MiB":
            stored.changed(stream(2, encoding=1, stored=ZSTD_MAGIC + b"\x40\x68" + frame)),
        "F20 zstd-run-block: a zstd frame of one run-length block":
            draft_of(basic("run", report="a" * 300)).changed(stream(2, encoding=1, stored=run)),
    }  # fmt: skip


def _texts() -> Table:
    words = ("Lungenödem", "胸水", "Тень", "صدر", "หัวใจ", "हृदय", "心肥大", "🫁")
    many_scripts = basic(
        "étude-研究-исследование",
        concepts=tuple(Concept(word, OBSERVATION, number, number + 1) for number, word in enumerate(words)),
        triples=NO_TRIPLES,
        labels={"Größe": 1.0, "気胸": -1.0, "z": 0.0},
        report=" ".join(words) + "\r\n\t\u202e",
    )
    return {
        "F27 F14 unicode: text of many scripts; a report may hold anything that is UTF-8": many_scripts,
        "F27 unicode-14: characters that Unicode has since version 14.0":
            textual("id", concepts=(Concept("\U0001e290\U0001fae0", OBSERVATION, 0, 2),)),
        "F27 id-128-bytes: the longest id": textual("x" * 128),
        "F27 id-as-a-path: an id is not a file name": textual("../a/b\\c: d"),
        "F27 long-text: more than 65,536 bytes of text: lengths are u32":
            textual("l", concepts=(Concept("w" * 70_000, ANATOMY, 0, 70_000),)),
    }  # fmt: skip


def _maps() -> Table:
    values = [
        True, False, b"\x00", b"", "", 0, -1, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**53 - 1,
        -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**53) + 1, 0.0, -0.0, 1.5, 1e300, 5e-324,
        "s" * 31, "s" * 32, "s" * 256, b"b" * 256, list(range(15)), list(range(16)), {}, {"b": 1, "a": [[[[{}]]]]},
        {f"k{number:02}": number for number in range(16)}, "ключ",
    ]  # fmt: skip
    model = {"model": {"name": "m", "digest": "0", "trained": True, "dtype": "float32"}}
    loss = [{"form": "svd", "bound": 0.011, "largest": 0.0625, "rmse": 0.0109, "cosine": 6.1e-05}, {}]
    ext = replace(draft_of(textual("e")), toc=lambda toc: {**toc, "meta": {**toc["meta"], "ext": {"anything": [1]}}})
    return {
        "F14 F17 map-values: every kind of value at the edges of its encodings":
            textual("m", provenance={"x.org.example.values": values, "report": "none"}),
        **each("F17 report-kind-{value}: report = {value}", ("given", "generated", "none"),
            lambda kind: textual("k", provenance={"report": kind})),
        "F17 model-dtype: every member that model may have": textual("d", provenance=model),
        "F17 loss: what two storings lost": textual("l", provenance={"loss": loss}),
        "F15 contents-ext: the member ext of meta": ext,
    }  # fmt: skip
