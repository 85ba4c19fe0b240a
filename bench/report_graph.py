"""How well, and how fast, the rule-based extractor reads reports.

    python -m bench.report_graph [--reports indiana_reports_200.csv] [--output bench/results/report_graph.json]
                                 [--rivals PYTHON]

Three kinds of truth. Sentences of the project's own (``bench/report_sentences/sentences.txt``) with what each says, in
two halves: one that was looked at while the rules were made, one that was not run before they were done. Relations of
fifty reports, annotated by hand (``bench/report_sentences/relations.py``). And the report-level ``Problems`` tags that
indexers gave to the Open-i (Indiana University) reports. A tag says that a finding is there, not where it is said, and
indexers tag what they think notable: a finding that the report asserts in passing has no tag and counts against
precision. The lexicon and cues were tuned while looking at reports of this collection, so those figures are optimistic
for reports from elsewhere.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.metadata
import json
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.report_sentences.relations import agreement
from bench.report_sentences.sentences import HALVES, read_cases
from bench.report_sentences.sentences import score as score_sentences
from bench.shared_data import SHARED_DATA
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.report_graph.lexicon import load_lexicon
from neuralgraph.compressor.report_graph.rules import RulesExtractor

ROOT = Path(__file__).resolve().parents[1]

# Finding: (categories of the lexicon that assert it, tags that do).
FINDINGS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(categories), frozenset(tags))
    for name, categories, tags in (
        ("effusion", ["effusion"], ["Pleural Effusion"]),
        ("pneumothorax", ["pneumothorax"], ["Pneumothorax", "Hydropneumothorax"]),
        ("pneumonia", ["pneumonia"], ["Pneumonia"]),
        ("atelectasis", ["atelectasis"], ["Pulmonary Atelectasis"]),
        (
            "opacity",
            ["opacity", "nodular opacity", "infiltrate", "airspace disease", "consolidation"],
            ["Opacity", "Infiltrate", "Airspace Disease", "Consolidation", "Density"],
        ),
        ("nodule", ["nodule", "nodular opacity"], ["Nodule"]),
        ("mass", ["mass"], ["Mass"]),
        ("granuloma", ["granuloma"], ["Granuloma", "Calcified Granuloma"]),
        ("cardiomegaly", ["cardiomegaly"], ["Cardiomegaly", "Cardiac Shadow"]),
        ("edema", ["edema"], ["Pulmonary Edema"]),
        ("congestion", ["congestion"], ["Pulmonary Congestion"]),
        (
            "emphysema or COPD",
            ["emphysema", "copd"],
            [
                "Emphysema",
                "Pulmonary Emphysema",
                "Bullous Emphysema",
                "Pulmonary Disease, Chronic Obstructive",
            ],
        ),
        ("scarring", ["scarring"], ["Cicatrix"]),
        ("costophrenic blunting", ["costophrenic blunting"], ["Costophrenic Angle"]),
        ("pleural thickening", ["pleural thickening"], ["Thickening"]),
        ("hernia", ["hernia"], ["Hernia, Hiatal"]),
        ("scoliosis", ["spine curvature"], ["Scoliosis", "Kyphosis"]),
        (
            "device",
            ["device"],
            [
                "Catheters, Indwelling",
                "Surgical Instruments",
                "Tube, Inserted",
                "Implanted Medical Device",
                "Sutures",
                "Stents",
                "Breast Implants",
                "Spinal Fusion",
            ],
        ),
    )
}


def read_reports(path: Path) -> list[tuple[str, frozenset[str]]]:
    """(report text, tags) of each row that has findings or impression."""
    rows = []
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            parts = _parts(row)
            tags = frozenset(tag.strip() for tag in row["Problems"].split(";"))
            if parts:
                rows.append(("\n\n".join(parts), tags))
    return rows


def score(rows: list[tuple[str, frozenset[str]]], *, uncertain: bool, sections: str) -> dict[str, Any]:
    """Precision and recall of asserted findings; ``uncertain`` says whether a doubtful finding counts as asserted."""
    reader = extractor("rules", sections=sections)
    categories = load_lexicon().categories
    labels = {"Observation::definitely present"} | ({"Observation::uncertain"} if uncertain else set())
    asserted = [
        {categories.get(concept.text) for concept in graph.concepts if concept.label in labels}
        for graph in reader([text for text, _ in rows])
    ]
    table = {}
    for finding, (wanted, tags) in FINDINGS.items():
        truth = [bool(row_tags & tags) for _, row_tags in rows]
        found = [bool(wanted & one) for one in asserted]
        both = sum(t and f for t, f in zip(truth, found, strict=True))
        table[finding] = {
            "tagged": sum(truth),
            "asserted": sum(found),
            "correct": both,
            "precision": round(both / sum(found), 3) if any(found) else None,
            "recall": round(both / sum(truth), 3) if any(truth) else None,
        }
    return table


def speed(texts: list[str], sections: str, passes: int = 15) -> dict[str, Any]:
    """Reports per second in one process, each pass with a new extractor that has read no report of the data yet.

    Wall time is what a user waits; CPU time is what one core does, and differs from it when others use the machine.
    """
    wall, processor = [], []
    for _ in range(passes):
        reader = extractor("rules", sections=sections)
        reader(["No abnormality."])
        started, started_processor = time.perf_counter(), time.process_time()
        reader(texts)
        wall.append(len(texts) / (time.perf_counter() - started))
        processor.append(len(texts) / (time.process_time() - started_processor))
    return {
        "reports_per_second": {"median": round(statistics.median(wall)), "slowest": round(min(wall))},
        "reports_per_cpu_second": {"median": round(statistics.median(processor)), "slowest": round(min(processor))},
        "reports": len(texts),
        "passes": passes,
        "mean_characters": round(sum(map(len, texts)) / len(texts)),
    }


def sentences() -> dict[str, Any]:
    """Scores on both halves of the sentences; of the half kept apart no sentence is told."""
    reader = RulesExtractor()
    found = {}
    for half in HALVES:
        scores = score_sentences(reader, reader.categories, [case for case in read_cases() if case.half == half])
        scores.pop("errors")
        found[half] = scores
    return found


def relations(path: Path) -> dict[str, Any]:
    """Agreement on relations with the annotated reports of the table."""
    reader = RulesExtractor()
    with path.open(newline="", encoding="utf-8") as stream:
        texts = {row["uid"]: "\n\n".join(_parts(row)) for row in csv.DictReader(stream)}
    scores = agreement(reader, reader.categories, texts)
    scores.pop("errors")
    return scores


def _parts(row: dict[str, str]) -> list[str]:
    return [f"{name.upper()}: {row[name]}" for name in ("findings", "impression") if row[name].strip()]


def rivals(python: str) -> dict[str, Any]:
    """What libraries make of the sentences, in an interpreter that has them."""
    done = subprocess.run(
        [python, "-W", "ignore", "-m", "bench.report_sentences.rivals"], cwd=ROOT, capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=Path, default=SHARED_DATA / "openi" / "indiana_reports_200.csv")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "results" / "report_graph.json")
    parser.add_argument("--rivals", default=sys.executable, help="an interpreter with negspacy, medspaCy and msgpack")
    arguments = parser.parse_args()
    rows = read_reports(arguments.reports)
    texts = [text for text, _ in rows]
    reader = extractor("rules", sections="findings+impression")
    results = {
        "data": {
            "name": arguments.reports.name,
            "collection": "Open-i / Indiana University chest X-rays, reports with MeSH Problems tags",
            "sha256": hashlib.sha256(arguments.reports.read_bytes()).hexdigest(),
            "reports_with_text": len(rows),
            # Stated in the results, too, so that the figures are not quoted without it.
            "held_out": False,
            "note": "lexicon, cues and the grouping of tags were adjusted after looking at errors on these reports; "
            "optimistic for others, and findings with few tagged reports say little",
        },
        "extractor": {"name": reader.name, "version": reader.version, "fingerprint": reader.fingerprint},
        "versions": {
            "python": platform.python_version(),
            "numpy": importlib.metadata.version("numpy"),
        },
        "sentences": sentences(),
        "relations": relations(arguments.reports),
        "rivals": rivals(arguments.rivals),
        "asserted": score(rows, uncertain=True, sections="findings+impression"),
        "asserted_without_uncertain": score(rows, uncertain=False, sections="findings+impression"),
        "asserted_impression_only": score(rows, uncertain=True, sections="impression"),
        "speed": {choice: speed(texts, choice) for choice in ("findings+impression", "impression")},
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for finding, row in results["asserted"].items():
        sure = results["asserted_without_uncertain"][finding]
        both = f"{row['precision']}/{row['recall']}"
        print(f"{finding:24} n={row['tagged']:3}  {both:12} sure {sure['precision']}/{sure['recall']}")
    for half, scores in results["sentences"].items():
        whole = scores["all"]
        print(half, whole["sentences"], whole["polarity"], whole["f1"], whole["f1_with_side"])
    print(json.dumps([results["relations"], results["rivals"], results["speed"]], indent=1))


if __name__ == "__main__":
    main()
