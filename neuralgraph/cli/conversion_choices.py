"""What ``ngr compress`` and ``ngr convert`` can be asked for, word by word."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "MAX_SIDE_HELP",
    "SECTIONS_HELP",
    "BurnedInPolicy",
    "CohortName",
    "Engine",
    "Extractor",
    "Films",
    "LayoutName",
    "Profile",
    "Score",
    "Sections",
    "Visit",
    "WithoutReport",
]

SECTIONS_HELP = "What is read of a report: findings, impression and addenda, or the impression alone."
"""Of the option ``--sections``."""
MAX_SIDE_HELP = "Longest side that films are reduced to, pixels; more gives a finer grid [default: the model's own]."
"""Of the option ``--max-side``."""


class Extractor(StrEnum):
    """How a report is read; ``neuralgraph.compressor.report_graph`` says what each does."""

    rules = "rules"
    none = "none"
    radgraph = "radgraph"
    radgraph_json = "radgraph-json"


class Score(StrEnum):
    """How attention becomes a score; ``neuralgraph.compressor.score_rules`` says what each does."""

    sum = "sum"
    contrast = "contrast"
    findings = "findings"
    gradient = "gradient"


class LayoutName(StrEnum):
    """How a source is laid out."""

    auto = "auto"
    manifest = "manifest"
    mimic_cxr = "mimic-cxr"
    mimic_cxr_jpg = "mimic-cxr-jpg"
    chexpert = "chexpert"
    chexpert_plus = "chexpert-plus"
    openi = "openi"
    dicom = "dicom"
    folder = "folder"


class CohortName(StrEnum):
    """The paper's cohorts."""

    neural_mimic = "neural-mimic"
    neural_chexpert = "neural-chexpert"


class Engine(StrEnum):
    """What runs the workers."""

    local = "local"
    ray = "ray"


class Visit(StrEnum):
    """Which study of a patient."""

    first = "first"
    last = "last"
    random = "random"


class Films(StrEnum):
    """How many films of a study."""

    one = "one"
    all = "all"


class BurnedInPolicy(StrEnum):
    """What happens to films with identifying text in their pixels."""

    refuse = "refuse"
    strict = "strict"
    accept = "accept"


class Profile(StrEnum):
    """What an archive is for."""

    compact = "compact"
    train = "train"


class WithoutReport(StrEnum):
    """What happens to a study without a report."""

    generate = "generate"
    drop = "drop"


class Sections(StrEnum):
    """Which part of a report counts."""

    both = "findings+impression"
    impression = "impression"
