"""What tables say of a study."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import build_study

from neuralgraph import Concept
from neuralgraph.rows.columns import CONCEPT_FACTS, STUDY_FACTS, TRIPLE_FACTS
from neuralgraph.rows.facts import concept_rows, study_row, triple_rows

PRESENT = "Observation::definitely present"


@pytest.fixture(scope="module")
def study():
    """Says "pleural effusions" in the "right lung base", and an "opacity" somewhere."""
    made = build_study(seed=3, study_id="right", concepts=0, dim=16)
    return replace(
        made,
        concepts=(
            Concept("pleural  Effusions", PRESENT, 0, 5, "findings"),
            Concept("right lung base", "Anatomy::definitely present", 10, 15),
            Concept("opacity", "Observation::uncertain", 20, 25, "findings"),
        ),
        triples=[(0, 1, 1)],
        fusion=None,
        mentions=(),
        provenance={**made.provenance, "report": "given"},
    )


def test_the_row_of_a_study(study):
    row = study_row(study, archive="a", position=1, record_bytes=10, patient="p", split="train")
    assert [name for name in row if not name.startswith("label.")] == list(STUDY_FACTS)
    assert (row["study_id"], row["digest"]) == ("right", study.digest)
    assert (row["patient"], row["split"], row["bytes"]) == ("p", "train", 10)
    assert (row["film_format"], row["film_bits"], row["report"]) == ("png", 8, "given")
    assert row["label.pneumonia"] == 1.0
    assert row["retention"] == pytest.approx(len(study.patches) / study.n_cells)


def test_a_finding_has_the_side_of_its_place(study):
    first, place, second = concept_rows(study, archive="a", position=1)
    assert list(first) == list(CONCEPT_FACTS)
    assert (first["name"], first["kind"], first["polarity"]) == ("pleural effusions", "observation", "present")
    assert (first["side"], first["place"]) == ("right", "right lung base")
    assert (place["kind"], place["side"]) == ("anatomy", "right")
    assert (second["polarity"], second["side"], second["place"]) == ("uncertain", "", "")


def test_the_row_of_a_triple(study):
    (row,) = triple_rows(study, archive="a", position=1)
    assert list(row) == list(TRIPLE_FACTS)
    assert (row["head"], row["relation"], row["tail"]) == ("pleural effusions", "located_at", "right lung base")
