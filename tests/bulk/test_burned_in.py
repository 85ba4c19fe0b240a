import numpy as np
import pytest

from neuralgraph.bulk import ConversionSettings
from tests.sources.conftest import make_dicom, ramp

STATEMENTS = {"silent": {}, "denies": {"BurnedInAnnotation": "NO"}, "says": {"BurnedInAnnotation": "YES"}}


@pytest.mark.parametrize(
    ("policy", "taken"),
    [
        ("refuse", {"silent.dcm", "denies.dcm", "picture.png"}),
        ("strict", {"denies.dcm", "picture.png"}),
        ("accept", {"silent.dcm", "denies.dcm", "says.dcm", "picture.png"}),
    ],
)
def test_policies(bench, policy, taken):
    bench.add("picture")
    for name, stated in STATEMENTS.items():
        (bench.source / f"{name}.dcm").write_bytes(make_dicom(ramp(64, 64, np.uint8), **stated))
    outcome = bench.run(settings=ConversionSettings(burned_in=policy))
    ids = {study.row.study_key: study.study_id for study in bench.plan().studies}
    assert {path.stem for path in bench.dest.glob("*.ngr")} == {ids[name] for name in taken}
    assert outcome.reasons["E_SOURCE_KIND"] == 4 - len(taken)
