"""A folder of films through the product, against other decoders: pydicom's own files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")

from bench.film_folder import compare_folder, main  # noqa: E402

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"


@pytest.fixture(scope="module")
def outcomes():
    return list(compare_folder(FOLDER))


def test_every_file_of_pydicom_ends_in_a_film_or_a_coded_refusal(outcomes):
    assert len(outcomes) > 150
    assert all(outcome.outcome == "film" or outcome.outcome.startswith("E_") for outcome in outcomes)
    assert Counter(outcome.outcome for outcome in outcomes)["film"] >= 4


def test_no_stored_value_differs_from_another_decoder(outcomes):
    compared = [outcome for outcome in outcomes if outcome.stored_apart is not None]
    assert len(compared) >= 4
    assert all(outcome.stored_apart == 0 for outcome in compared)


def test_what_is_shown_is_what_dcmtk_shows(outcomes):
    compared = [outcome for outcome in outcomes if outcome.shown_by == "DCMTK" and outcome.quality != "rescued"]
    if not compared:
        pytest.skip("DCMTK is not on this machine")
    assert all(outcome.shown_apart < 0.5 for outcome in compared)


def test_the_table_the_list_and_the_pictures(tmp_path, capsys):
    from PIL import Image

    (tmp_path / "films").mkdir()
    slope = np.add.outer(np.linspace(0, 120, 64), np.linspace(0, 120, 48)).astype(np.uint8)
    Image.fromarray(slope).save(tmp_path / "films" / "a.png")
    (tmp_path / "films" / "b.txt").write_text("no film")
    arguments = [tmp_path / "films", "--json", tmp_path / "out.json", "--pictures", tmp_path / "pictures"]
    assert main([str(each) for each in arguments]) == 0
    printed = capsys.readouterr().out
    assert "a.png  film  48 x 64" in printed
    assert "b.txt  E_SOURCE_TYPE" in printed
    first, second = json.loads((tmp_path / "out.json").read_text())
    assert (first["shown_by"], first["shown_apart"], second["outcome"]) == ("Pillow", 0.0, "E_SOURCE_TYPE")
    with Image.open(tmp_path / "pictures" / "00000.png") as pair:
        assert pair.size[0] > 2 * pair.size[1]
