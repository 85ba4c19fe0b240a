"""What DICOM headers say of the view: words, codes, positions."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from neuralgraph.sources.films.dicom import read_dicom_film
from neuralgraph.sources.layouts.dicom_view import dicom_view


def code(value, meaning="", **more):
    item = Dataset()
    item.CodeValue, item.CodeMeaning, item.CodingSchemeDesignator = value, meaning, "SCT"
    for keyword, content in more.items():
        setattr(item, keyword, content)
    return item


@pytest.fixture
def read(make_dicom, ramp, tmp_path):
    def read(**elements):
        data = make_dicom(ramp(20, 20, np.uint16), **elements)
        (tmp_path / "film.dcm").write_bytes(data)
        film = read_dicom_film(data)
        return dicom_view(str(tmp_path / "film.dcm")), film.position, film.facts.get("position", "")

    return read


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"ViewPosition": "AP SUPINE"}, ("AP", "AP", "supine")),
        ({"ViewPosition": "PORTABLE AP"}, ("AP", "AP", "")),
        ({"ViewPosition": "PA ERECT"}, ("PA", "PA", "erect")),
        ({"ViewPosition": "AP LLD"}, ("OTHER", "OTHER", "left decubitus")),
        ({"ViewPosition": "FRONTAL"}, ("FRONTAL", "unknown", "")),
        ({"ViewPosition": "XYZZY"}, ("unknown", "unknown", "")),
        ({"ViewPosition": "XYZZY", "ViewCodeSequence": [code("399348003")]}, ("AP", "AP", "")),
        ({"ViewPosition": "SUPINE", "ViewCodeSequence": [code("399348003")]}, ("AP", "AP", "supine")),
        ({"ViewCodeSequence": [code("399033003", "frontal")]}, ("FRONTAL", "unknown", "")),
        ({"ViewCodeSequence": [code("272479007", "antero-posterior")]}, ("FRONTAL", "unknown", "")),
        ({"ViewCodeSequence": [code("272479007", "lateral")]}, ("unknown", "unknown", "")),
        ({"ViewCodeSequence": [code("399135007", "left anterior oblique")]}, ("OTHER", "OTHER", "")),
        ({"PatientOrientationCodeSequence": [code("C86043", "erect")]}, ("unknown", "unknown", "erect")),
        (
            {
                "ViewPosition": "AP",
                "PatientOrientationCodeSequence": [
                    code("102538003", "recumbent", PatientOrientationModifierCodeSequence=[code("40199007", "supine")])
                ],
            },
            ("AP", "AP", "supine"),
        ),
        ({"PatientOrientationCodeSequence": [code("LOCAL", "Semi-Erect")]}, ("unknown", "unknown", "semi-erect")),
        ({"ViewPosition": "AP", "PatientPosition": "HFS"}, ("AP", "AP", "supine")),
        ({"ViewPosition": "AP ERECT", "PatientPosition": "HFS"}, ("AP", "AP", "erect")),
    ],
)
def test_projection_and_position(read, elements, expected):
    assert read(**elements) == expected
