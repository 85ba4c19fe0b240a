from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neuralgraph import ConceptVectors, Study
from neuralgraph.graph.plain import study_of

safetensors = pytest.importorskip("safetensors")

from neuralgraph.adapters.safetensors import METADATA, to_safetensors  # noqa: E402


def test_everything_can_be_read(make_study: Callable[..., Study], vectors: ConceptVectors, tmp_path: Path) -> None:
    for study in (make_study(concept_vectors=vectors), make_study(fusion=None, triples=np.empty((0, 3)), report=None)):
        (tmp_path / "a.safetensors").write_bytes(to_safetensors(study))
        with safetensors.safe_open(tmp_path / "a.safetensors", "np") as file:
            facts = json.loads(file.metadata()[METADATA])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no map
        assert arrays["patch_embedding"].dtype == np.float32
        again = study_of(facts, arrays)
        assert again.digest == study.digest
        assert again.extensions == study.extensions


def test_equal_studies_give_equal_bytes(make_study: Callable[..., Study]) -> None:
    assert len({to_safetensors(make_study()) for _ in range(5)}) == 1
