import struct
import warnings
import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from neuralgraph.errors import SourceError
from neuralgraph.sources import FilmLimits
from neuralgraph.sources.films.facts import TURNS
from neuralgraph.sources.films.images import read_jpeg_film, read_png_film

TINY = FilmLimits(min_side=1)


def encoded(array, file_format, **options):
    out = BytesIO()
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    image.save(out, file_format, **options)
    return out.getvalue()


def code_of(read, data, **options):
    with pytest.raises(SourceError) as caught:
        read(data, **options)
    return caught.value.code


def big(values):
    return np.asarray(values, ">u2").tobytes()


# PNG: kinds and depths, by hand


@pytest.mark.parametrize(
    ("depth", "row", "values"),
    [
        (1, [0b10110000], [1, 0, 1, 1]),
        (2, [0b00011011], [0, 1 / 3, 2 / 3, 1]),
        (4, [0x0F, 0x5A], [0, 1, 5 / 15, 10 / 15]),
        (8, [0, 1, 128, 255], [0, 1 / 255, 128 / 255, 1]),
        (16, big([0, 1, 32768, 65535]), [0, 1 / 65535, 32768 / 65535, 1]),
    ],
)
def test_grey_of_every_depth(make_png, depth, row, values):
    film = read_png_film(make_png([row], width=4, depth=depth, colour_type=0), limits=TINY)
    assert film.pixels.tolist() == [[np.float32(value) for value in values]]
    assert film.facts == {"format": "png", "bits_stored": depth, "photometric": "GREY"}


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_all_16_bits_survive_in_every_kind(make_png, colour_type, channels, ramp):
    values = ramp(256, 256, np.uint16)
    samples = np.repeat(values[..., None], channels, axis=2)
    if colour_type in (4, 6):
        samples[..., -1] = 65535
    rows = [big(row) for row in samples.reshape(256, -1)]
    film = read_png_film(make_png(rows, width=256, depth=16, colour_type=colour_type))
    assert np.array_equal(np.rint(film.pixels * 65535), values)
    assert film.facts["bits_stored"] == 16


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 21), (1, 3), (2, 1)])
def test_interlaced_pictures(make_png, height, width, ramp):
    values = ramp(height, width, np.uint16)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    packed = [big(row) for top, left, down, right in passes for row in values[top::down, left::right] if row.size]
    data = make_png(packed, width=width, depth=16, colour_type=0, interlace=1)
    film = read_png_film(_with_height(data, height), limits=TINY)
    assert np.array_equal(np.rint(film.pixels * 65535), values)
    missing = make_png(packed[:-1], width=width, depth=16, colour_type=0, interlace=1)
    assert code_of(read_png_film, _with_height(missing, height), limits=TINY) == "E_SOURCE_DAMAGED"


def _with_height(data, height):

    header = bytearray(data[12:29])
    header[8:12] = struct.pack(">I", height)
    return data[:12] + bytes(header) + struct.pack(">I", zlib.crc32(bytes(header))) + data[33:]


def test_grey_palette_and_its_damage(make_png):
    palette = (b"PLTE", bytes([9, 9, 9, 0, 0, 0, 255, 255, 255]))
    film = read_png_film(make_png([[0b00011000]], width=4, depth=2, colour_type=3, extra=[palette]), limits=TINY)
    assert film.pixels.tolist() == [[np.float32(9 / 255), 0.0, 1.0, np.float32(9 / 255)]]
    assert film.facts["photometric"] == "PALETTE"
    one_bit = make_png([[0b01000000]], width=2, depth=1, colour_type=3, extra=[palette])
    assert read_png_film(one_bit, limits=TINY).pixels.tolist() == [[np.float32(9 / 255), 0.0]]
    outside = make_png([[0b00011011]], width=4, depth=2, colour_type=3, extra=[palette])
    assert code_of(read_png_film, outside, limits=TINY) == "E_SOURCE_DAMAGED"


def test_transparency_is_laid_on_black(make_png):
    alpha = make_png([[200, 255, 200, 0, 200, 51]], width=3, depth=8, colour_type=4)
    film = read_png_film(alpha, limits=TINY)
    assert np.allclose(film.pixels, [[200 / 255, 0, 40 / 255]], atol=1e-6)
    assert film.facts["transparent"] is True
    key = make_png([[0x0F]], width=2, depth=4, colour_type=0, extra=[(b"tRNS", b"\0\x0f")])
    assert read_png_film(key, limits=TINY).pixels.tolist() == [[0.0, 0.0]]
    key = make_png([big([7, 8])], width=2, depth=16, colour_type=0, extra=[(b"tRNS", b"\0\x07")])
    assert read_png_film(key, limits=TINY).pixels.tolist() == [[0.0, np.float32(8 / 65535)]]
    palette = [(b"PLTE", bytes([255] * 6)), (b"tRNS", b"\0")]
    key = make_png([[0b01000000]], width=2, depth=1, colour_type=3, extra=palette)
    assert read_png_film(key, limits=TINY).pixels.tolist() == [[0.0, 1.0]]
    key = make_png([[9, 9, 9, 8, 8, 8]], width=2, depth=8, colour_type=2, extra=[(b"tRNS", big([9, 9, 9]))])
    assert read_png_film(key, limits=TINY).pixels.tolist() == [[0.0, np.float32(8 / 255)]]


def test_hidden_colours_do_not_make_a_colour_picture(ramp):
    image = np.zeros((20, 20, 4), np.uint8)
    image[..., 0] = 255
    image[:, :10] = ramp(20, 10, np.uint8)[..., None]
    image[:, :10, 3] = 255
    film = read_png_film(encoded(image, "PNG"))
    assert not film.pixels[:, 10:].any()
    assert np.array_equal(np.rint(film.pixels[:, :10] * 255), ramp(20, 10, np.uint8))


def test_a_film_saved_as_colour_is_exact(ramp):
    grey = ramp(64, 32, np.uint8)
    film = read_png_film(encoded(np.repeat(grey[..., None], 3, axis=2), "PNG"))
    assert np.array_equal(film.pixels, grey.astype(np.float32) / np.float32(255))
    assert film.facts["photometric"] == "COLOUR"


def test_a_tint_and_a_small_mark_pass_a_picture_does_not(ramp):
    grey = np.repeat(ramp(100, 100, np.uint8)[..., None], 3, axis=2).astype(int)
    tinted = np.clip(grey + np.array([0, 8, 20]), 0, 255).astype(np.uint8)
    assert read_png_film(encoded(tinted, "PNG")).pixels.shape == (100, 100)
    marked = grey.astype(np.uint8)
    marked[:10, :10] = [255, 0, 0]
    assert read_png_film(encoded(marked, "PNG")).pixels[0, 0] == np.float32(0.299)
    marked[:30, :30] = [255, 0, 0]
    assert code_of(read_png_film, encoded(marked, "PNG")) == "E_SOURCE_KIND"
    noise = np.random.default_rng(0).integers(0, 256, (50, 50, 3), dtype=np.uint8)
    assert code_of(read_png_film, encoded(noise, "PNG")) == "E_SOURCE_KIND"
    assert code_of(read_jpeg_film, encoded(noise, "JPEG")) == "E_SOURCE_KIND"


def test_constant_pictures():
    for value in (0, 77, 255):
        film = read_png_film(encoded(np.full((16, 16), value, np.uint8), "PNG"))
        assert (film.pixels == np.float32(value / 255)).all()


# PNG: structure


def test_animation_is_refused(ramp):
    frames = [Image.fromarray(ramp(20, 20, np.uint8)), Image.fromarray(ramp(20, 20, np.uint8).T.copy())]
    assert code_of(read_png_film, encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])) == "E_SOURCE_KIND"


def test_text_and_profiles_are_never_unpacked(make_png, ramp):

    bomb = b"Comment\0\0" + zlib.compress(b"a" * 100_000_000, 9)
    data = make_png([bytes(16)] * 16, width=16, depth=8, colour_type=0, extra=[(b"zTXt", bomb), (b"iCCP", bomb)])
    assert read_png_film(data).pixels.shape == (16, 16)


def test_an_unknown_needed_chunk_is_refused(make_png):
    data = make_png([bytes(16)] * 16, width=16, depth=8, colour_type=0, extra=[(b"ABCD", b"")])
    assert code_of(read_png_film, data) == "E_SOURCE_ENCODING"


@pytest.mark.parametrize(("height", "width"), [(15, 100), (100, 15), (70_000, 70_000), (2**31 - 1, 2**31 - 1), (0, 0)])
def test_sizes_are_refused_from_the_header(make_png, height, width):
    data = _with_height(make_png([b""], width=width, depth=8, colour_type=0), height)
    assert code_of(read_png_film, data) == "E_SOURCE_SIZE"


def test_large_pictures_raise_no_warning_when_allowed(make_png):
    # Pillow warns above 89 million pixels; a caller who raised the limit does not want to hear it.
    data = make_png([bytes(1250)] * 9000, width=10_000, depth=1, colour_type=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert code_of(read_png_film, data) == "E_SOURCE_SIZE"
        film = read_png_film(data, limits=FilmLimits(max_pixels=100_000_000))
    assert film.pixels.shape == (9000, 10_000)


def test_too_few_pixels_in_the_stream(make_png):
    data = _with_height(make_png([bytes(20)] * 20, width=20, depth=8, colour_type=0), 21)
    assert code_of(read_png_film, data) == "E_SOURCE_DAMAGED"


@pytest.mark.parametrize("depth", [8, 16])
def test_a_png_cut_anywhere_is_refused(ramp, depth):
    data = encoded(ramp(20, 20, np.uint8 if depth == 8 else np.uint16), "PNG")
    for length in range(8, len(data)):
        assert code_of(read_png_film, data[:length]) == "E_SOURCE_DAMAGED"


def test_any_flipped_byte_of_a_png_is_noticed(ramp):
    data = encoded(ramp(20, 20, np.uint8), "PNG")
    for position in range(8, len(data)):
        damaged = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        assert code_of(read_png_film, damaged).startswith("E_SOURCE_")


# JPEG


def test_grey_and_colour_jpeg(ramp):
    grey = ramp(40, 24, np.uint8)
    film = read_jpeg_film(encoded(grey, "JPEG", quality=100))
    assert np.abs(film.pixels * 255 - grey).max() < 2
    assert film.facts["photometric"] == "GREY"
    assert film.facts["lossy"] is True
    colour = read_jpeg_film(encoded(np.repeat(grey[..., None], 3, axis=2), "JPEG", quality=100))
    assert np.abs(colour.pixels * 255 - grey).max() < 3
    assert colour.facts["photometric"] == "COLOUR"


def test_progressive_jpeg_and_trailing_bytes(ramp):
    grey = ramp(40, 24, np.uint8)
    data = encoded(grey, "JPEG", quality=100, progressive=True)
    assert np.array_equal(read_jpeg_film(data).pixels, read_jpeg_film(data + b"\0junk").pixels)


def test_cmyk_is_refused(ramp):
    image = Image.fromarray(ramp(20, 20, np.uint8)).convert("CMYK")
    assert code_of(read_jpeg_film, encoded(image, "JPEG")) == "E_SOURCE_KIND"


def test_several_pictures_in_one_jpeg_are_refused(ramp):
    image = Image.fromarray(ramp(20, 20, np.uint8))
    assert code_of(read_jpeg_film, encoded(image, "MPO", save_all=True, append_images=[image])) == "E_SOURCE_KIND"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", [">", "<"])
def test_exif_orientation_is_applied_as_viewers_do(orientation, order, ramp):
    grey = Image.fromarray(ramp(24, 16, np.uint8))
    tiff = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(
        f"{order}IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0
    )
    data = encoded(grey, "JPEG", quality=100, exif=b"Exif\0\0" + tiff)
    film = read_jpeg_film(data)
    with Image.open(BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(np.rint(film.pixels * 255), expected)
    assert film.facts.get("turned", "none") == TURNS[orientation - 1]


@pytest.mark.parametrize("tiff", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"junk" * 5])
def test_broken_exif_changes_nothing(tiff, ramp):
    data = encoded(ramp(24, 16, np.uint8), "JPEG")
    segment = b"Exif\0\0" + tiff
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    assert "turned" not in read_jpeg_film(data).facts


def _with_frame(data, **fields):
    position = data.index(b"\xff\xc0")
    frame = bytearray(data)
    if "size" in fields:
        frame[position + 5 : position + 9] = struct.pack(">HH", *fields["size"])
    if "precision" in fields:
        frame[position + 4] = fields["precision"]
    if "process" in fields:
        frame[position + 1] = fields["process"]
    return bytes(frame)


def test_jpeg_headers_are_judged_before_decoding(ramp):
    data = encoded(ramp(24, 16, np.uint8), "JPEG")
    assert code_of(read_jpeg_film, _with_frame(data, size=(65535, 65535))) == "E_SOURCE_SIZE"
    assert code_of(read_jpeg_film, _with_frame(data, size=(0, 16))) == "E_SOURCE_SIZE"
    assert code_of(read_jpeg_film, _with_frame(data, precision=12)) == "E_SOURCE_ENCODING"
    for process in (0xC3, 0xC9, 0xF7):
        assert code_of(read_jpeg_film, _with_frame(data, process=process)) == "E_SOURCE_ENCODING"


def test_a_jpeg_of_endless_scans_is_refused(ramp):
    data = encoded(ramp(24, 16, np.uint8), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert code_of(read_jpeg_film, data[:-2] + scan * 300 + b"\xff\xd9") == "E_SOURCE_DAMAGED"


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_cut_anywhere_is_refused(ramp, progressive):
    data = encoded(ramp(24, 16, np.uint8), "JPEG", progressive=progressive)
    for length in range(3, len(data)):
        assert code_of(read_jpeg_film, data[:length]) == "E_SOURCE_DAMAGED"


# Anything


def _mutated(draw, data):
    mutant = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, max(0, len(mutant) - 1)))
        kind = draw(st.sampled_from(["set", "cut", "put"]))
        if kind == "set":
            mutant[position : position + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == "cut":
            del mutant[position : position + draw(st.integers(1, 30))]
        else:
            mutant[position:position] = draw(st.binary(max_size=8))
    return bytes(mutant)


def _seed_picture():
    return np.linspace(0, 255, 24 * 16).astype(np.uint8).reshape(24, 16)


SEEDS = {
    "png": encoded(_seed_picture(), "PNG"),
    "palette": encoded(Image.fromarray(_seed_picture()).convert("P"), "PNG"),
    "jpeg": encoded(_seed_picture(), "JPEG"),
    "progressive": encoded(np.repeat(_seed_picture()[..., None], 3, axis=2), "JPEG", progressive=True),
}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutants_give_a_film_or_one_error(data):
    name = data.draw(st.sampled_from(sorted(SEEDS)))
    mutant = _mutated(data.draw, SEEDS[name])
    read = read_jpeg_film if name in ("jpeg", "progressive") else read_png_film
    # Any other exception fails the test.
    with suppress(SourceError):
        assert min(read(mutant).pixels.shape) >= 16


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_good_checksums_around_bad_pixels(data):
    # Past the checksums, to the decoder itself.
    depth, colour_type = data.draw(st.sampled_from([(1, 0), (8, 0), (16, 0), (8, 3), (16, 2), (16, 4), (8, 6)]))

    packed = zlib.compress(data.draw(st.binary(max_size=3000)))
    if data.draw(st.booleans()):
        packed = _mutated(data.draw, packed)
    assume(packed)
    header = struct.pack(">IIBBBBB", 16, 16, depth, colour_type, 0, 0, data.draw(st.integers(0, 1)))
    chunks = [
        (b"IHDR", header),
        (b"PLTE", data.draw(st.binary(max_size=12))),
        (b"tRNS", data.draw(st.binary(max_size=6))),
    ]
    chunks += [(b"IDAT", packed), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
        for kind, payload in chunks
        if payload or kind == b"IEND"
    )
    # Any other exception fails the test.
    with suppress(SourceError):
        assert read_png_film(b"\x89PNG\r\n\x1a\n" + body).pixels.shape == (16, 16)
