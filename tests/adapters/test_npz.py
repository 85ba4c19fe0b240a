from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from io import BytesIO

import numpy as np

from neuralgraph import ConceptVectors, Study
from neuralgraph.adapters.npz import to_npz
from neuralgraph.graph.plain import study_arrays, study_of


def test_everything_can_be_read_without_pickle(make_study: Callable[..., Study], vectors: ConceptVectors) -> None:
    study = make_study(concept_vectors=vectors, report="ends in zero\x00")
    with np.load(BytesIO(to_npz(study)), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    facts = json.loads(str(arrays.pop("facts")))
    assert facts["report"] == study.report
    assert facts["study_id"] == "study-1"
    assert arrays["patch_embedding"].tolist() == study.patches.embedding.tolist()
    assert arrays["triple"].tolist() == study.triples.tolist()
    assert arrays.keys() == study_arrays(study).keys()
    assert study_of(facts, arrays).digest == study.digest


def test_equal_studies_give_equal_bytes_without_a_time(make_study: Callable[..., Study]) -> None:
    content = to_npz(make_study())
    assert content == to_npz(make_study())
    entries = zipfile.ZipFile(BytesIO(content)).infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {(entry.create_system, entry.compress_type) for entry in entries} == {(3, zipfile.ZIP_STORED)}
