"""Grey films saved in colour are grey films; pictures in colour are not."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from neuralgraph.errors import SourceError
from neuralgraph.phantoms import phantom as make_phantom
from neuralgraph.sources.films.colour import grey_of
from neuralgraph.sources.films.recognise import film_of_bytes

SC = "1.2.840.10008.5.1.4.1.1.7"
GREY = np.rint(np.add.outer(np.linspace(0, 120, 128), np.linspace(0, 120, 96))).astype(np.uint8)


def tinted(grey, tint):
    return np.rint(grey[..., np.newaxis] / 255 * np.array(tint)).astype(np.uint8)


def encoded(picture, kind="PNG", **options):
    out = BytesIO()
    Image.fromarray(picture).save(out, kind, **options)
    return out.getvalue()


def correlation(film, grey):
    return np.corrcoef(film.pixels.ravel(), grey.ravel())[0, 1]


@pytest.fixture(scope="module")
def phantom():
    return np.rint(make_phantom(3).pixels * 255).astype(np.uint8)


TINTS = [(144, 192, 240), (255, 200, 120), (180, 120, 255), (60, 255, 90), (255, 0, 0)]


@pytest.mark.parametrize("tint", TINTS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_one_tint(phantom, tint, kind):
    options = {"quality": 80, "subsampling": 2} if kind == "JPEG" else {}
    film = film_of_bytes(encoded(tinted(phantom, tint), kind, **options))
    assert film.facts["photometric"] == "COLOUR"
    assert correlation(film, phantom) > 0.998


def test_a_tint_that_turns_to_white_and_fades_towards_the_corners(phantom):
    grey = phantom / 255
    height, width = grey.shape
    rows, columns = np.mgrid[:height, :width]
    fade = 1 - 0.25 * ((rows / height - 0.5) ** 2 + (columns / width - 0.5) ** 2)
    colour = np.stack([grey ** (1 - 0.35 * share * fade) for share in (0.4, 0.0, 1.0)], axis=-1)
    film = film_of_bytes(encoded(np.rint(colour * 255).astype(np.uint8)))
    assert correlation(film, grey) > 0.99


def test_coloured_letters_on_a_tinted_film(phantom):
    picture = tinted(phantom, (144, 192, 240))
    picture[5:25, 5:45] = (255, 30, 30)
    assert film_of_bytes(encoded(picture)).facts["quality"] == "good"


def test_a_palette_of_greys_or_of_one_tint():
    for tint in ((255, 255, 255), (144, 192, 240)):
        picture = Image.fromarray(GREY)
        picture.putpalette(tinted(np.arange(256), tint).tobytes())
        out = BytesIO()
        picture.save(out, "PNG")
        film = film_of_bytes(out.getvalue())
        assert film.facts["photometric"] == "PALETTE"
        assert correlation(film, GREY) > 0.9999


def rainbow():
    angle = GREY / 240 * 2 * np.pi
    return np.stack([127 + 127 * np.cos(angle + shift) for shift in (0, 2.1, 4.2)], axis=-1).astype(np.uint8)


def heat():
    # Black, red, yellow, white: brightness rises all the way, and the hue changes.
    return np.stack([np.clip(GREY * 3.2 - low, 0, 255) for low in (0, 255, 510)], axis=-1).astype(np.uint8)


def two_tints():
    return np.concatenate([tinted(GREY, (144, 192, 240)), tinted(GREY, (240, 160, 130))])


def quarters():
    colours = np.array([[(200, 30, 30), (30, 160, 30)], [(40, 60, 220), (220, 200, 30)]], np.uint8)
    return np.kron(colours, np.ones((64, 48, 1), np.uint8))


@pytest.mark.parametrize(
    "make", [rainbow, heat, two_tints, quarters, lambda: np.full((64, 64, 3), (200, 40, 40), np.uint8)]
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_pictures_in_colour_stay_refused(make, kind):
    with pytest.raises(SourceError, match="colour") as caught:
        film_of_bytes(encoded(make(), kind))
    assert caught.value.code == "E_SOURCE_KIND"


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_photographs_stay_refused(name):
    datasets = pytest.importorskip("sklearn.datasets")
    with pytest.raises(SourceError, match="colour"):
        grey_of(datasets.load_sample_image(name), None, 255)


# The same in DICOM


def colour_dicom(make_dicom, samples, *, photometric="RGB", planar=0, syntax="1.2.840.10008.1.2.1", stream=None):
    height, width, _ = samples.shape
    ordered = samples if planar == 0 else np.moveaxis(samples, 2, 0)
    raw = ordered.astype(samples.dtype.newbyteorder("<")).tobytes()
    more = {} if stream is not None else {"PixelData": raw + b"\0" * (len(raw) % 2)}
    return make_dicom(
        np.zeros((height, width), samples.dtype),
        syntax=syntax,
        stream=stream,
        SOPClassUID=SC,
        Modality="OT",
        SamplesPerPixel=3,
        PhotometricInterpretation=photometric,
        PlanarConfiguration=planar,
        **more,
    )


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_equal_channels_in_dicom(make_dicom, planar, dtype):
    grey = GREY.astype(dtype) * (257 if dtype == np.uint16 else 1)
    film = film_of_bytes(colour_dicom(make_dicom, np.repeat(grey[..., np.newaxis], 3, axis=2), planar=planar))
    assert film.facts["photometric"] == "COLOUR"
    assert np.abs(film.pixels - grey / np.iinfo(dtype).max).max() < 1e-6


def test_a_tint_and_a_rainbow_in_dicom(make_dicom):
    film = film_of_bytes(colour_dicom(make_dicom, tinted(GREY, (144, 192, 240))))
    assert correlation(film, GREY) > 0.999
    with pytest.raises(SourceError, match="colour"):
        film_of_bytes(colour_dicom(make_dicom, rainbow()))


def test_compressed_colour_in_dicom(make_dicom):
    equal = np.repeat(GREY[..., np.newaxis], 3, axis=2)
    stream = encoded(equal, "JPEG", quality=95)
    data = colour_dicom(
        make_dicom,
        equal,
        photometric="YBR_FULL_422",
        syntax="1.2.840.10008.1.2.4.50",
        stream=stream + b"\0" * (len(stream) % 2),
    )
    film = film_of_bytes(data)
    assert np.abs(film.pixels * 255 - GREY).max() <= 4
    assert film.facts["lossy"] is True


def test_run_length_colour_in_dicom(make_dicom):
    import pydicom

    dataset = pydicom.dcmread(BytesIO(colour_dicom(make_dicom, np.repeat(GREY[..., np.newaxis], 3, axis=2))))
    dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    out = BytesIO()
    dataset.save_as(out)
    assert np.abs(film_of_bytes(out.getvalue()).pixels * 255 - GREY).max() < 1e-4


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_of_greys_in_dicom(make_dicom, bits):
    elements = {}
    entries = np.arange(256) * (257 if bits == 16 else 1)
    for channel in ("Red", "Green", "Blue"):
        elements[f"{channel}PaletteColorLookupTableDescriptor"] = [256, 0, bits]
        elements[f"{channel}PaletteColorLookupTableData"] = entries.astype("<u2" if bits == 16 else "u1").tobytes()
    data = make_dicom(GREY, SOPClassUID=SC, Modality="OT", PhotometricInterpretation="PALETTE COLOR", **elements)
    film = film_of_bytes(data)
    assert film.facts["photometric"] == "PALETTE"
    assert np.abs(film.pixels - GREY / 255).max() < 1e-6


def test_colour_that_is_damaged(make_dicom):
    whole = colour_dicom(make_dicom, np.repeat(GREY[..., np.newaxis], 3, axis=2))
    with pytest.raises(SourceError) as caught:
        film_of_bytes(whole[:-500])
    assert caught.value.code == "E_SOURCE_DAMAGED"
    with pytest.raises(SourceError) as caught:
        film_of_bytes(make_dicom(GREY, SOPClassUID=SC, PhotometricInterpretation="PALETTE COLOR"))
    assert caught.value.code == "E_SOURCE_DAMAGED"
