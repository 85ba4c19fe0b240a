"""View and body position of a manifest reach the study, apart."""

import numpy as np

import neuralgraph as ng
from neuralgraph.bulk.converter import Converter
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import Task, read_task, task_line
from tests.sources.conftest import make_dicom, ramp


def converted(tmp_path, view, **elements):
    """The film that a converter hands to the compressor."""
    seen = []

    def maker(films, report, **_):
        seen.extend(films)
        return ng.Study(**STUDY)

    path = tmp_path / "film.dcm"
    path.write_bytes(make_dicom(ramp(32, 32, np.uint16), **elements))
    task = read_task(task_line(Task("s", [(str(path), view)], str(tmp_path / "out.ngr"), report="Clear.")))
    answer = Converter(ConversionSettings(extractor="none"), maker)(task)
    assert answer.reason == "", answer.message
    return seen[0]


from builders import build_study  # noqa: E402

_MADE = build_study()
STUDY = {name: getattr(_MADE, name) for name in ("study_id", "views", "patches", "concepts", "triples", "fusion")}


def test_words_of_a_manifest(tmp_path):
    film = converted(tmp_path, "AP supine", ViewPosition="PA")
    assert (film.position, film.facts["position"]) == ("AP", "supine")
    film = converted(tmp_path, "unknown", ViewPosition="AP SUPINE")
    assert (film.position, film.facts["position"]) == ("AP", "supine")
    film = converted(tmp_path, "FRONTAL", ViewPosition="LL")
    assert film.position == "unknown"
    assert "position" not in film.facts
    film = converted(tmp_path, "OTHER left decubitus")
    assert (film.position, film.facts["position"]) == ("OTHER", "left decubitus")
