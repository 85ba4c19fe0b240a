from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuralgraph.compressor.report_graph import ReportGraph
from neuralgraph.compressor.report_graph.lexicon import load_lexicon
from neuralgraph.compressor.report_graph.rules import RulesExtractor
from neuralgraph.errors import ModelError, SourceError
from neuralgraph.wire.vocabulary import CONCEPT_LABELS, RELATIONS

ROOT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("NEURALGRAPH_SHARED", ROOT.parent / "shared")) / "data"

PRESENT = "Observation::definitely present"
ABSENT = "Observation::definitely absent"
UNCERTAIN = "Observation::uncertain"
ANATOMY = "Anatomy::definitely present"


@pytest.fixture(scope="module")
def rules() -> RulesExtractor:
    return RulesExtractor(sections="findings+impression")


@pytest.fixture(scope="module")
def read(rules: RulesExtractor) -> Callable[[str], ReportGraph]:
    return lambda text: rules([text])[0]


def labels(graph: ReportGraph) -> dict[str, str]:
    return {concept.text: concept.label for concept in graph.concepts}


def triples(graph: ReportGraph) -> set[tuple[str, str, str]]:
    return {(graph.concepts[h].text, RELATIONS[r], graph.concepts[t].text) for h, r, t in graph.triples.tolist()}


def check_valid(graph: ReportGraph, text: str) -> None:
    spans = [(concept.start, concept.end) for concept in graph.concepts]
    assert spans == sorted(set(spans))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
    rows = graph.triples.tolist()
    assert graph.triples.dtype == np.int32
    assert graph.triples.shape == (len(rows), 3)
    assert rows == sorted(map(list, {tuple(row) for row in rows}))
    for concept in graph.concepts:
        assert concept.label in CONCEPT_LABELS
    for head, relation, tail in rows:
        assert head != tail
        kinds = tuple(graph.concepts[index].label.split("::")[0] for index in (head, tail))
        assert (
            kinds
            in {
                "modify": {("Observation", "Observation"), ("Anatomy", "Anatomy")},
                "located_at": {("Observation", "Anatomy")},
                "suggestive_of": {("Observation", "Observation")},
            }[RELATIONS[relation]]
        )


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("No pneumonia.", {"pneumonia"}),
        ("No pneumothorax, effusion or focal consolidation.", {"pneumothorax", "pleural effusion", "consolidation"}),
        (
            "The lungs are clear of focal airspace disease, pneumothorax, or pleural effusion.",
            {"airspace disease", "pneumothorax", "pleural effusion"},
        ),
        ("Lungs are free of infiltrate.", {"infiltrate"}),
        ("The effusion has resolved.", {"pleural effusion"}),
        ("Pneumothorax is no longer seen.", {"pneumothorax"}),
        ("The heart is not enlarged.", {"cardiomegaly"}),
        ("Negative for pneumoperitoneum.", {"pneumoperitoneum"}),
        ("No pleural\n effusion.", {"pleural effusion"}),
        ("The chest tube has been removed.", {"chest tube"}),
    ],
)
def test_what_is_denied_is_kept_as_absent(read: Callable[[str], ReportGraph], text: str, absent: set[str]) -> None:
    found = labels(read(text))
    assert {word: found.get(word) for word in absent} == dict.fromkeys(absent, ABSENT)


@pytest.mark.parametrize(
    ("text", "present"),
    [
        ("Nodule in the left upper lobe.", "nodule"),
        ("No change in the right effusion.", "pleural effusion"),
        ("No pneumothorax, but there is a small effusion.", "pleural effusion"),
        ("No pneumothorax with moderate effusion.", "pleural effusion"),
        ("Effusion without significant interval change.", "pleural effusion"),
        ("No pneumonia. Stable atelectasis.", "atelectasis"),
        ("No effusion; cardiomegaly.", "cardiomegaly"),
        ("Non-calcified nodule.", "nodule"),
    ],
)
def test_denial_ends_where_it_should(read: Callable[[str], ReportGraph], text: str, present: str) -> None:
    assert labels(read(text))[present] == PRESENT


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("Possible left lower lobe pneumonia.", "pneumonia"),
        ("Pneumonia cannot be excluded.", "pneumonia"),
        ("Pneumonia is not excluded.", "pneumonia"),
        ("Opacity may represent atelectasis.", "atelectasis"),
        ("Blunting suggestive of small effusion.", "pleural effusion"),
        ("Findings concerning for edema.", "pulmonary edema"),
    ],
)
def test_doubt(read: Callable[[str], ReportGraph], text: str, finding: str) -> None:
    assert labels(read(text))[finding] == UNCERTAIN


def test_denial_wins_over_doubt(read: Callable[[str], ReportGraph]) -> None:
    assert labels(read("No opacity to suggest pneumonia."))["pneumonia"] == ABSENT


def test_modifiers_share_the_polarity_of_their_head(read: Callable[[str], ReportGraph]) -> None:
    graph = read("No large right pleural effusion.")
    assert labels(graph) == {"large": ABSENT, "right": ABSENT, "pleural effusion": ABSENT}
    assert triples(graph) == {("large", "modify", "pleural effusion"), ("right", "modify", "pleural effusion")}


def test_side_of_an_anatomy_and_place_of_a_finding(read: Callable[[str], ReportGraph]) -> None:
    graph = read("Small to moderate right apical pneumothorax.")
    assert triples(graph) == {
        ("small", "modify", "pneumothorax"),
        ("moderate", "modify", "pneumothorax"),
        ("right", "modify", "lung apex"),
        ("pneumothorax", "located_at", "lung apex"),
    }
    assert labels(graph)["right"] == ANATOMY


def test_measurement(read: Callable[[str], ReportGraph]) -> None:
    text = "8-MM nodule in the left lung base."
    graph = read(text)
    assert graph.concepts[0].text == "8 mm"
    assert text[graph.concepts[0].start : graph.concepts[0].end] == "8-MM"
    assert graph.concepts[0].label == "Observation::measurement::definitely present"
    assert triples(graph) == {
        ("8 mm", "modify", "nodule"),
        ("nodule", "located_at", "lung base"),
        ("left", "modify", "lung base"),
    }
    assert read("Mass of 3.2 x 2.1 cm.").concepts[1].text == "3.2 x 2.1 cm"


@pytest.mark.parametrize("text", ["Nodule, sedimentation rate 48 mm/h.", "Nodule 123456789 mm.", "Nodule on film 7."])
def test_figures_that_measure_nothing_are_left_out(read: Callable[[str], ReportGraph], text: str) -> None:
    assert [concept.text for concept in read(text).concepts] == ["nodule"]


def test_suggestion_reaches_every_listed_finding(read: Callable[[str], ReportGraph]) -> None:
    graph = read("Opacity, likely atelectasis or scarring.")
    assert triples(graph) == {("opacity", "suggestive_of", "atelectasis"), ("opacity", "suggestive_of", "scarring")}
    graph = read("Interstitial prominence consistent with edema.")
    assert labels(graph)["pulmonary edema"] == PRESENT
    assert ("interstitial markings", "suggestive_of", "pulmonary edema") in triples(graph)


def test_predicates_are_located_at_their_subject(read: Callable[[str], ReportGraph]) -> None:
    assert ("cardiomegaly", "located_at", "heart") in triples(read("The heart is mildly enlarged."))
    assert triples(read("Heart size and mediastinal contour are within normal limits.")) == {
        ("normal", "located_at", "heart"),
        ("normal", "located_at", "mediastinum"),
    }
    assert triples(read("Lungs are hyperlucent and hyperinflated.")) == {
        ("emphysema", "located_at", "lung"),
        ("hyperinflation", "located_at", "lung"),
    }


def test_place_is_shared_along_a_list(read: Callable[[str], ReportGraph]) -> None:
    assert triples(read("Effusions and atelectasis at the lung bases.")) == {
        ("pleural effusion", "located_at", "both lung bases"),
        ("atelectasis", "located_at", "both lung bases"),
    }


def test_a_shift_from_right_to_left_has_no_two_sides(read: Callable[[str], ReportGraph]) -> None:
    assert triples(read("Right-to-left cardiomediastinal shift.")) == {("right to left", "modify", "mediastinal shift")}


def test_removed_text_is_never_an_entity(read: Callable[[str], ReportGraph]) -> None:
    text = "XXXX XXXX opacities ___ compatible with XXXX atelectasis."
    graph = read(text)
    assert [concept.text for concept in graph.concepts] == ["opacity", "atelectasis"]
    assert not read("XXXX. ___ XXXX ____.").concepts


def test_only_the_lexicons_words_are_stored(read: Callable[[str], ReportGraph]) -> None:
    graph = read("Dr. Winterbottom saw Mr. Abernathy's left pleural EFFUSIONS.")
    assert [concept.text for concept in graph.concepts] == ["left", "pleural effusion"]


def test_spans_count_code_points_of_the_whole_report(read: Callable[[str], ReportGraph]) -> None:
    text = "INDICATION: 🫁 cough\n\nIMPRESSION:\n 1. Ärztlich: small\n  pleural   effusion."
    graph = read(text)
    assert [text[concept.start : concept.end] for concept in graph.concepts] == ["small", "pleural   effusion"]


def test_bullets_and_wrapped_lines(read: Callable[[str], ReportGraph]) -> None:
    graph = read("IMPRESSION:\n1. No pneumothorax\n2. Small left\neffusion\n- Cardiomegaly")
    assert labels(graph) == {
        "pneumothorax": ABSENT,
        "small": PRESENT,
        "left": PRESENT,
        "pleural effusion": PRESENT,
        "cardiomegaly": PRESENT,
    }
    assert ("left", "modify", "pleural effusion") in triples(graph)


@pytest.mark.parametrize("text", ["", " \n\t ", "...", "\N{COMBINING ACUTE ACCENT}", "IMPRESSION:", "\ud800 lone"])
def test_nothing_to_read(read: Callable[[str], ReportGraph], text: str) -> None:
    assert read(text) == ReportGraph()


def test_choice_of_sections_changes_graph_and_fingerprint() -> None:
    text = "FINDINGS: Small effusion.\nIMPRESSION: No pneumonia."
    short, full = RulesExtractor(sections="impression"), RulesExtractor()
    assert [concept.text for concept in short([text])[0].concepts] == ["pneumonia"]
    assert [concept.text for concept in full([text])[0].concepts] == ["small", "pleural effusion", "pneumonia"]
    assert short.fingerprint != full.fingerprint
    assert len(bytes.fromhex(short.fingerprint)) == 32


def test_wrong_arguments_are_refused(rules: RulesExtractor) -> None:
    with pytest.raises(ModelError, match="impression"):
        RulesExtractor(sections="everything")  # type: ignore[arg-type]
    with pytest.raises(SourceError) as caught:
        rules("one report")
    assert caught.value.code == "E_SOURCE_TEXT"
    with pytest.raises(SourceError, match="must be text") as caught:
        rules(["fine", b"bytes"])  # type: ignore[list-item]
    assert caught.value.where == "report 1"


def test_no_library_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("spacy", "negspacy", "medspacy", "torch"):
        monkeypatch.setitem(sys.modules, library, None)
    assert labels(RulesExtractor()(["No pneumonia."])[0]) == {"pneumonia": ABSENT}


def test_same_graphs_whatever_the_hash_seed() -> None:
    program = (
        "import hashlib, sys\n"
        "from neuralgraph.compressor.report_graph import extractor\n"
        "rules = extractor('rules')\n"
        "graphs = rules(['Small to moderate right apical pneumothorax, likely atelectasis; 8 mm nodule.'])\n"
        "print(rules.fingerprint, graphs[0].concepts, graphs[0].triples.tolist())\n"
    )
    outputs = set()
    for seed in ("0", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        outputs.add(done.stdout)
        assert not done.stderr
    assert len(outputs) == 1
    assert "pneumothorax" in outputs.pop()


@pytest.mark.parametrize(
    "text",
    [
        "No pleural effusion, patchy left basilar opacity. " * 21_000,
        "small left effusion and opacity " * 33_000,
        "(-" * 524_288,
        "\n " * 524_288,
        "a" * 1_048_576,
        "1 x " * 262_144 + "mm",
        "".join(
            f"IMPRES{i:x}:\n".translate(str.maketrans("0123456789abcdef", "GHIJKLMNOPQRSTUV")) for i in range(80_000)
        ),
    ],
    ids=["sentences", "no stop", "signs", "lines", "one word", "figures", "headers"],
)
def test_a_report_of_a_mebibyte_takes_seconds(read: Callable[[str], ReportGraph], text: str) -> None:
    # What a processor takes, not what others leave of it.
    started = time.process_time()
    graph = read(text)
    assert time.process_time() - started < 20
    assert all(concept.end <= len(text) for concept in graph.concepts)


def test_repeated_sentences_are_mentions_of_one_graph(read: Callable[[str], ReportGraph]) -> None:
    once = read("Small left effusion. ")
    thrice = read("Small left effusion. " * 3)
    assert thrice.concepts == once.concepts
    assert thrice.triples.tolist() == once.triples.tolist()
    assert len(thrice.mentions) == 2 * len(once.concepts)


_PHRASES = sorted(" ".join(words) for words in load_lexicon().phrases)
_GLUE = [
    "no",
    "and",
    ",",
    ".",
    ";",
    "is",
    "in the",
    "may be",
    "XXXX",
    "8 mm",
    "-",
    "\n\n",
    "IMPRESSION:",
    "without",
    "ß",
]


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=200) | st.lists(st.sampled_from(_PHRASES + _GLUE * 20), max_size=40).map(" ".join))
def test_any_text_gives_a_valid_graph(read: Callable[[str], ReportGraph], text: str) -> None:
    graph = read(text)
    check_valid(graph, text)
    assert read(text) == graph


def test_shared_notes(read: Callable[[str], ReportGraph]) -> None:
    folder = SHARED / "cxr" / "reports"
    if not folder.is_dir():
        pytest.skip("the shared data is not here")
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8")
        graph = read(text)
        check_valid(graph, text)
        assert graph.concepts
    tube = triples(read((folder / "cxr008.txt").read_text(encoding="utf-8")))
    assert ("2 cm", "modify", "endotracheal tube") in tube
    assert ("worsened", "modify", "pneumonia") in tube


def test_shared_open_i_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    table = SHARED / "openi" / "indiana_reports_200.csv"
    if not table.is_file():
        pytest.skip("the shared data is not here")
    monkeypatch.syspath_prepend(str(ROOT))
    from bench.report_graph import read_reports, score

    rows = read_reports(table)
    result = score(rows, uncertain=True, sections="findings+impression")
    for finding, precision, recall in (
        ("effusion", 0.85, 0.95),
        ("pneumothorax", 0.8, 0.8),
        ("atelectasis", 0.75, 0.95),
        ("opacity", 0.95, 0.95),
        ("cardiomegaly", 0.85, 0.9),
    ):
        assert result[finding]["precision"] >= precision, finding
        assert result[finding]["recall"] >= recall, finding
    full = RulesExtractor(sections="findings+impression")
    for (text, _), graph in zip(rows, full([text for text, _ in rows]), strict=True):
        check_valid(graph, text)
