"""Valid files that are special as files: unused bits, sections, archives, wide indices."""

from __future__ import annotations

from collections.abc import Iterator
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
    valid_vector,
)
from spec.tools.vectors.vector import Vector

__all__ = ["file_vectors"]


def file_vectors() -> Iterator[Vector]:
    """All of them."""
    yield from _framing()
    yield from _archives()
    yield from _large()


def _framing() -> Iterator[Vector]:
    draft = draft_of(basic())
    yield valid_vector(
        "optional-features", replace(draft, prologue=put(16, "Q", 2**64 - 1)), "all unused bits set", "R1", "R15"
    )
    yield valid_vector("minor-version", replace(draft, prologue=put(25, "B", 7)), "a later minor version", "R1")
    section = SectionDraft("later", 0, b"a section of a later version")
    yield valid_vector(
        "unknown-section",
        replace(draft, more_sections=[section]),
        "an unknown section that is not critical",
        "F15",
        "F16",
    )
    drafts = [SectionDraft("graphs", 0, bytes(72)), SectionDraft("dictionary_00010000", 2, b"7\xa40\xec")]
    drafts += [SectionDraft("dictionary_", 0, b"1"), SectionDraft("codebook_0123456789abcdef", 3 - 1, b"NGRKLT")]
    yield valid_vector(
        "sections-of-drafts",
        replace(draft, more_sections=drafts),
        "names that drafts of the format used are names of unknown sections",
        "F16",
    )
    copy_safe = SectionDraft("x.org.example.notes", 2, b"copy me")
    yield valid_vector(
        "extension-section",
        replace(draft, more_sections=[section, copy_safe]),
        "two unknown sections, one copy-safe",
        "F16",
    )
    pages = SectionDraft("pages", 0, bytes(65_537))
    yield valid_vector(
        "two-pages", replace(draft, more_sections=[pages]), "a section of 65,537 bytes has two pages", "R7"
    )
    longest = "x." + ".".join(["a" * 32] * 7) + "." + "b" * 22
    yield valid_vector(
        "longest-name",
        replace(draft, more_sections=[SectionDraft(longest, 0, b"1"), SectionDraft("a" * 32, 0, b"1")]),
        "the longest names",
        "F15",
    )


def _archives() -> Iterator[Vector]:
    five = [basic("five-0"), textual("five-1"), basic("a-two", labels={}), basic("Five"), textual("ünf")]
    yield valid_vector(
        "archive-of-five",
        draft_of(*five),
        "five studies; keys are in byte order of the ids",
        "F16",
        "F18",
        "F19",
        "R5",
        "R8",
    )
    methods = [basic("m1"), basic("m2", provenance={**SOURCE, **METHOD, "prune": {"policy": "fraction", "value": 0.5}})]
    yield valid_vector(
        "archive-of-two-methods", draft_of(*methods), "two methods, in order of their digests", "F39", "F19"
    )
    scripts = ["a", "Z", "é", "я", "ع", "ก", "漢", "𝒳", "0", "-"]
    yield valid_vector(
        "archive-of-scripts",
        draft_of(*[textual(name) for name in scripts]),
        "ids of many scripts, in and out of the BMP",
        "F19",
    )
    yield valid_vector("archive-mixed-forms", _mixed(), "two records with different forms and streams", "F10", "F18")
    yield valid_vector(
        "archive-of-two",
        draft_of(textual("b"), textual("a")),
        "an even number of records, all equally large; no padding in keys",
        "F19",
        "F38",
    )


def _mixed() -> Draft:
    first, second = basic("i8", report=REPORT), basic("f16")
    draft = draft_of(first, second)
    return draft.with_records(
        record_of(first.columns(), embedding="int8"), record_of(second.columns(), embedding="float16")
    )


def _large() -> Iterator[Vector]:
    yield valid_vector(
        "indices-u16",
        draft_of(grid_study("u16", [film(18, 17)], 280, ramp(280, 1))),
        "more than 256 cells and patches: indices are u16",
        "F23",
        "F25",
    )
    yield valid_vector(
        "indices-256",
        draft_of(grid_study("u8", [film(16, 16)], 256, ramp(256, 1))),
        "exactly 256 cells and patches: indices are u8",
        "F23",
        "F25",
    )
    concepts = tuple(Concept(f"c{number}", CONCEPT_LABELS[number % 12], number, number + 2) for number in range(300))
    triples = np.array([[0, 0, 299], [256, 1, 255], [299, 2, 0]])
    vectors = concept_vectors([number % 290 for number in range(300)], 1)
    yield valid_vector(
        "concepts-u16",
        draft_of(textual("c", concepts=concepts, triples=triples, concept_vectors=vectors)),
        "more than 256 concepts and concept vectors",
        "F26",
    )
    yield valid_vector("cells-u32", draft_of(_wide()), "more than 65,536 cells: cell numbers are u32", "F22", "F23")
    noisy, smooth = ramp(16, 192), np.round(ramp(16, 192) / 4)
    yield valid_vector(
        "embedding-stored", draft_of(grid_study("e", [film(6, 6)], 16, noisy)), "planes of noise are stored", "F12"
    )
    yield valid_vector(
        "embedding-compressed", draft_of(grid_study("e", [film(6, 6)], 16, smooth)), "planes that compress", "F20"
    )


def _wide() -> Study:
    code = np.zeros((257, 257), np.uint8)
    code[256, 255], code[256, 256], code[0, 0] = 3, 2, 1
    view = View(257, 257, 1.0, 1.0, code, 0.5)
    patches = Patches([256, 256, 0], [255, 256, 0], [4.5, 2.0, 0.5], ramp(3, 1))
    return Study("wide", (view,), patches)
