"""Valid files that are special as files: unused bits, sections, archives, wide indices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.study import Patches, Study
from neuralgraph.graph.view import View
from neuralgraph.wire.vocabulary import CONCEPT_LABELS
from spec.tools.vectors.draft import Draft, SectionDraft, put
from spec.tools.vectors.studies import (
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
from spec.tools.vectors.vector import Table

__all__ = ["archives", "framing", "wide_studies"]


def framing() -> Table:
    """Bits that readers ignore, sections they do not know."""
    draft = draft_of(basic())

    def sections(*more: SectionDraft) -> Draft:
        return replace(draft, more_sections=list(more))

    later = SectionDraft("later", 0, b"a section of a later version")
    of_drafts = [
        SectionDraft("graphs", 0, bytes(72)),
        SectionDraft("dictionary_00010000", 2, b"7\xa40\xec"),
        SectionDraft("dictionary_", 0, b"1"),
        SectionDraft("codebook_0123456789abcdef", 2, b"NGRKLT"),
    ]
    longest = "x." + ".".join(["a" * 32] * 7) + "." + "b" * 22
    return {
        "R1 R15 optional-features: all unused bits set": replace(draft, prologue=put(16, "Q", 2**64 - 1)),
        "R1 minor-version: a later minor version": replace(draft, prologue=put(25, "B", 7)),
        "F15 F16 unknown-section: an unknown section that is not critical": sections(later),
        "F16 sections-of-drafts: names that drafts of the format used are names of unknown sections":
            sections(*of_drafts),
        "F16 extension-section: two unknown sections, one copy-safe":
            sections(later, SectionDraft("x.org.example.notes", 2, b"copy me")),
        "R7 two-pages: a section of 65,537 bytes has two pages": sections(SectionDraft("pages", 0, bytes(65_537))),
        "F15 longest-name: the longest names":
            sections(SectionDraft(longest, 0, b"1"), SectionDraft("a" * 32, 0, b"1")),
    }  # fmt: skip


def archives() -> Table:
    """Files of several studies."""
    pruned = basic("m2", provenance={**SOURCE, **METHOD, "prune": {"policy": "fraction", "value": 0.5}})
    scripts = ["a", "Z", "é", "я", "ع", "ก", "漢", "𝒳", "0", "-"]
    first, second = basic("i8", report=REPORT), basic("f16")
    mixed = draft_of(first, second).with_records(
        record_of(first.columns(), embedding="int8"), record_of(second.columns(), embedding="float16")
    )
    return {
        "F16 F18 F19 R5 R8 archive-of-five: five studies; keys are in byte order of the ids":
            draft_of(basic("five-0"), textual("five-1"), basic("a-two", labels={}), basic("Five"), textual("ünf")),
        "F39 F19 archive-of-two-methods: two methods, in order of their digests": draft_of(basic("m1"), pruned),
        "F19 archive-of-scripts: ids of many scripts, in and out of the BMP": draft_of(*map(textual, scripts)),
        "F10 F18 archive-mixed-forms: two records with different forms and streams": mixed,
        "F19 F38 archive-of-two: an even number of records, all equally large; no padding in keys":
            draft_of(textual("b"), textual("a")),
    }  # fmt: skip


def wide_studies() -> Table:
    """Columns of wider indices, planes that compress and that do not."""
    concepts = tuple(Concept(f"c{number}", CONCEPT_LABELS[number % 12], number, number + 2) for number in range(300))
    triples = np.array([[0, 0, 299], [256, 1, 255], [299, 2, 0]])
    vectors = concept_vectors([number % 290 for number in range(300)], 1)
    code = np.zeros((257, 257), np.uint8)
    code[256, 255], code[256, 256], code[0, 0] = 3, 2, 1
    patches = Patches([256, 256, 0], [255, 256, 0], [4.5, 2.0, 0.5], ramp(3, 1))
    noisy, smooth = ramp(16, 192), np.round(ramp(16, 192) / 4)
    return {
        "F23 F25 indices-u16: more than 256 cells and patches: indices are u16": grid_study("u16", [film(18, 17)], 280),
        "F23 F25 indices-256: exactly 256 cells and patches: indices are u8": grid_study("u8", [film(16, 16)], 256),
        "F26 concepts-u16: more than 256 concepts and concept vectors":
            textual("c", concepts=concepts, triples=triples, concept_vectors=vectors),
        "F22 F23 cells-u32: more than 65,536 cells: cell numbers are u32":
            Study("wide", (View(257, 257, 1.0, 1.0, code, 0.5),), patches),
        "F12 embedding-stored: planes of noise are stored": grid_study("e", [film(6, 6)], 16, noisy),
        "F20 embedding-compressed: planes that compress": grid_study("e", [film(6, 6)], 16, smooth),
    }  # fmt: skip
