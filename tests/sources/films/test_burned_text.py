"""Letters burned into a picture are marked; a mark decides nothing."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from neuralgraph.phantoms import phantom
from neuralgraph.sources import read_film
from neuralgraph.sources.films.burned_text import text_lines
from neuralgraph.sources.films.recognise import film_of_bytes


@pytest.fixture(scope="module")
def plain():
    return np.rint(phantom(1001, height=768, width=640, stamp=False).pixels * 255).astype(np.uint8)


def lettered(picture, words, at, *, ink=255, size=28, box=None):
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size)
    if box is not None:
        left, top, right, bottom = draw.textbbox(at, words, font=font)
        draw.rectangle((left - 5, top - 5, right + 5, bottom + 5), fill=box)
    draw.text(at, words, fill=ink, font=font)
    return np.asarray(image)


def encoded(picture, kind):
    out = BytesIO()
    Image.fromarray(picture).save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("words", ["2019/12/29", "JANE DOE", "PORTABLE", "Smith, John", "ID 4711"])
@pytest.mark.parametrize(("ink", "box"), [(255, None), (255, 0), (0, 255), (200, 0)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_line_of_letters_is_found_where_it_stands(plain, words, ink, box, kind):
    film = film_of_bytes(encoded(lettered(plain, words, (20, 700), ink=ink, box=box), kind))
    lines = text_lines(film.pixels)
    # A line with a wide gap or letters that touch may fall into two.
    assert film.facts["text_marks"] == len(lines) in (1, 2)
    assert all(690 <= line.top < line.bottom <= 740 for line in lines)
    assert min(line.left for line in lines) < 80
    assert all(line.letters >= 4 for line in lines)
    assert any(line.is_bright is (ink > 127) for line in lines)


def test_films_without_letters_carry_no_mark(plain):
    assert "text_marks" not in film_of_bytes(encoded(plain, "PNG")).facts
    # A side marker alone is no text.
    assert text_lines(lettered(plain, "L", (560, 40), size=40).astype(np.float32) / 255) == []


def test_two_lines_and_large_films(plain):
    picture = lettered(lettered(plain, "12:45:07", (20, 20)), "JANE DOE", (400, 20))
    large = np.kron(picture, np.ones((3, 3), np.uint8)).astype(np.float32) / 255
    lines = text_lines(large)
    assert len(lines) == 2
    assert [line.left // 3 > 300 for line in sorted(lines, key=lambda line: line.left)] == [False, True]


@pytest.mark.parametrize("make", [np.zeros, np.ones])
def test_small_and_empty_pictures(make):
    assert text_lines(make((16, 16), np.float32)) == []
    assert text_lines(np.indices((40, 40)).sum(axis=0).astype(np.float32) % 2) == []


def test_noise_takes_no_time():
    assert text_lines(np.random.default_rng(0).random((1200, 1200), np.float32)) == []


def test_the_public_films_of_the_truth(shared):
    import json
    from pathlib import Path

    truth = json.loads((Path(__file__).parents[3] / "bench" / "burned_text_truth.json").read_text(encoding="utf-8"))
    found = [name for name in truth["with_text"][::10] if "text_marks" in read_film(shared / name).facts]
    assert len(found) >= 0.9 * len(truth["with_text"][::10])
    alarms = [name for name in truth["without_text"][::10] if "text_marks" in read_film(shared / name).facts]
    assert len(alarms) <= 1
