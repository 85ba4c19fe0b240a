from dataclasses import replace

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng


def made(number, *, positive):
    """A study whose first channel, and whose second concept, say whether it is positive."""
    study = build_study(seed=number, rows=5, cols=5, patches=6, dim=16, concepts=2, study_id=f"study-{number:03d}")
    embedding = np.random.default_rng(number).normal(size=(6, 16)).astype(np.float32)
    embedding[0, 0] = 6 if positive else -6
    state = "present" if positive else "absent"
    concepts = (
        ng.Concept("lung", "Anatomy::definitely present", 0, 4),
        ng.Concept("opacity", f"Observation::definitely {state}", 5, 12),
    )
    patches = replace(study.patches, embedding=embedding)
    return replace(study, patches=patches, concepts=concepts, labels={"opacity": float(positive)})


@pytest.fixture
def made_study():
    return made


@pytest.fixture(scope="session")
def studies_folder(tmp_path_factory):
    """120 studies in one archive, every third positive, with their split in studies.csv beside it."""
    folder = tmp_path_factory.mktemp("studies")
    apart = tmp_path_factory.mktemp("apart")
    rows = ["study_id,split"]
    for number in range(120):
        study = made(number, positive=number % 3 == 0)
        ng.save(study, apart / f"{study.study_id}.ngr", embedding="float32")
        rows.append(f"{study.study_id},{('train', 'train', 'train', 'validate', 'test')[number % 5]}")
    ng.pack(sorted(apart.iterdir()), folder / "archive.ngr")
    (folder / "studies.csv").write_text("\n".join(rows) + "\n")
    return folder
