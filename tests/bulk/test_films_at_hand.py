"""Films of a folder, found by the ids of studies."""

from __future__ import annotations

import numpy as np
import pytest
from builders import build_study

import neuralgraph as ng
from neuralgraph.bulk.films_at_hand import FilmsAtHand, key_beside
from neuralgraph.bulk.pseudonyms import Pseudonyms, destination_key

image = pytest.importorskip("PIL.Image", reason="the extra plot is not installed")
KEY = b"sixteen bytes or more"


@pytest.fixture
def films(tmp_path):
    folder = tmp_path / "films"
    for name, value in (("a.png", 10), ("sub/b.png", 20), ("one/c.png", 30), ("two/c.png", 40)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(0).integers(0, 256, (32, 48), dtype=np.uint8)
        pixels[0, 0] = value
        image.fromarray(pixels).save(path)
    return folder


def test_films_are_found_by_name_and_by_key_of_the_source(films):
    found = FilmsAtHand(films)
    assert "a" in found
    assert found.pixels("a").shape == (32, 48)
    assert found.pixels("b")[0, 0] == np.float32(20 / 255)
    assert found.pixels("sub-b.png")[0, 0] == np.float32(20 / 255)
    assert found.pixels("a", 1) is None
    assert found.pixels("nobody") is None
    assert 5 not in found


def test_of_two_films_of_one_name_neither_is_taken(films):
    found = FilmsAtHand(films)
    assert "c" not in found
    assert found.pixels("one-c.png")[0, 0] == np.float32(30 / 255)


def test_films_are_found_by_pseudonym_with_the_key_alone(films):
    pseudonym = Pseudonyms(KEY)("study", "sub/b.png")
    assert pseudonym not in FilmsAtHand(films)
    assert FilmsAtHand(films, KEY).path(pseudonym) == films / "sub/b.png"


def test_the_key_of_a_conversion_lies_beside_its_archive(tmp_path):
    (tmp_path / ".ngr-convert").mkdir()
    ng.save(build_study(), tmp_path / "archive.ngr")
    assert key_beside(tmp_path / "archive.ngr") is None
    key = destination_key(tmp_path / ".ngr-convert" / "key")
    assert key_beside(tmp_path / "archive.ngr") == key_beside(tmp_path) == key


def test_a_damaged_film_is_an_error(films):
    (films / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n no more")
    found = FilmsAtHand(films)
    with pytest.raises(ng.SourceError):
        found.pixels("d")


def test_no_folder_is_an_error(tmp_path):
    with pytest.raises(ng.SourceError) as caught:
        FilmsAtHand(tmp_path / "none")
    assert caught.value.code == "E_SOURCE_READ"
