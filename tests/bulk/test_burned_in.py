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


def test_a_picture_with_letters_is_marked_and_refused_only_when_that_is_asked_for(bench):
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(ramp(64, 64, np.uint8) // 2)
    ImageDraw.Draw(picture).text((4, 20), "12:45", fill=255, font=ImageFont.load_default(18))
    picture.save(bench.source / "dated.png")
    outcome = bench.run(settings=ConversionSettings(burned_in="refuse"))
    assert (outcome.converted, outcome.here.films_with_text, outcome.here.doubtful_films) == (1, 1, 0)


def test_strict_refuses_letters(bench):
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(ramp(64, 64, np.uint8) // 2)
    picture.save(bench.source / "plain.png")
    ImageDraw.Draw(picture).text((4, 20), "12:45", fill=255, font=ImageFont.load_default(18))
    picture.save(bench.source / "dated.png")
    outcome = bench.run(settings=ConversionSettings(burned_in="strict"))
    assert (outcome.converted, outcome.reasons["E_SOURCE_KIND"]) == (1, 1)


def test_doubtful_films_are_counted(bench):
    (bench.source / "good.dcm").write_bytes(make_dicom(ramp(64, 64, np.uint16)))
    (bench.source / "window.dcm").write_bytes(make_dicom(ramp(64, 64, np.uint16), WindowCenter=-9, WindowWidth=1))
    (bench.source / "blank.dcm").write_bytes(make_dicom(np.full((64, 64), 9, np.uint16)))
    outcome = bench.run()
    assert (outcome.converted, outcome.here.doubtful_films) == (2, 1)
    assert outcome.reasons["E_SOURCE_BLANK"] == 1
