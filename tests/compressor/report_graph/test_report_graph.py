from __future__ import annotations

import sys

import numpy as np
import pytest

from neuralgraph.compressor.report_graph import EXTRACTORS, Extractor, ReportGraph, extractor
from neuralgraph.errors import ModelError, StudyError
from neuralgraph.graph.concepts import Concept, Mention

EFFUSION = Concept("pleural effusion", "Observation::definitely present", 5, 13)
SMALL = Concept("small", "Observation::definitely present", 0, 5)


def test_names_of_the_table_give_extractors() -> None:
    assert EXTRACTORS == ("none", "radgraph", "radgraph-json", "rules")
    # The others need a package or annotations; they have tests of their own.
    for name, version in (("none", "1"), ("rules", "2")):
        found = extractor(name)
        assert isinstance(found, Extractor)
        assert (found.name, found.version) == (name, version)
        assert len(bytes.fromhex(found.fingerprint)) == 32


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match="'oracle'; choose one of: none, radgraph, radgraph-json, rules") as caught:
        extractor("oracle")
    assert caught.value.where == "extractor"


def test_none_gives_empty_graphs() -> None:
    assert extractor("none")(["Small effusion.", ""]) == [ReportGraph(), ReportGraph()]


def test_graph_is_a_value() -> None:
    one = ReportGraph((SMALL, EFFUSION), np.array([[0, 0, 1]]))
    assert one == ReportGraph((SMALL, EFFUSION), np.array([[0, 0, 1]], dtype=np.int64))
    assert hash(one) == hash(ReportGraph((SMALL, EFFUSION), np.array([[0, 0, 1]])))
    assert one != ReportGraph((SMALL, EFFUSION))
    assert one.triples.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        one.triples[0, 0] = 1


@pytest.mark.parametrize(
    ("concepts", "triples", "code"),
    [
        ((EFFUSION, SMALL), [], "E_ORDER"),
        ((SMALL, EFFUSION), [[1, 0, 0], [0, 0, 1]], "E_ORDER"),
        ((SMALL, EFFUSION), [[0, 0, 1], [0, 0, 1]], "E_ORDER"),
        ((SMALL, EFFUSION), [[0, 0, 2]], "E_IDX"),
        ((SMALL, EFFUSION), [[0, 3, 1]], "E_IDX"),
        ((SMALL._replace(label="Finding"),), [], "E_TEXT"),
        ((SMALL._replace(end=0),), [], "E_TEXT"),
        ((SMALL,), [[0, 0]], "E_STUDY"),
    ],
)
def test_graph_refuses_what_breaks_its_rules(
    concepts: tuple[Concept, ...], triples: list[list[int]], code: str
) -> None:
    width = len(triples[0]) if triples else 3
    with pytest.raises(StudyError) as caught:
        ReportGraph(concepts, np.array(triples, dtype=np.int32).reshape(-1, width))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("mentions", "code"),
    [
        ([Mention(1, EFFUSION.label, 30, 38)] * 2, "E_ORDER"),
        ([Mention(1, EFFUSION.label, 30, 38), Mention(0, SMALL.label, 20, 25)], "E_ORDER"),
        ([Mention(2, EFFUSION.label, 30, 38)], "E_IDX"),
        ([Mention(1, "Finding", 30, 38)], "E_TEXT"),
        ([Mention(1, EFFUSION.label, 30, 38, "history")], "E_TEXT"),
        ([Mention(1, EFFUSION.label, 30, 30)], "E_TEXT"),
    ],
)
def test_mentions_keep_the_rules_of_a_graph(mentions: list[Mention], code: str) -> None:
    with pytest.raises(StudyError) as caught:
        ReportGraph((SMALL, EFFUSION), mentions=tuple(mentions))
    assert caught.value.code == code


def test_asking_for_an_extractor_does_not_import_spacy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "spacy"]:
        monkeypatch.delitem(sys.modules, name)
    extractor("rules")
    assert "spacy" not in sys.modules
