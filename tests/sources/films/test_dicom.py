import numpy as np
import pytest
from pydicom.dataset import Dataset

from neuralgraph.errors import SourceError
from neuralgraph.sources import FilmLimits
from neuralgraph.sources.films.dicom import read_dicom_film

TINY = FilmLimits(min_side=1)
DX = "1.2.840.10008.5.1.4.1.1.1.1"
SC = "1.2.840.10008.5.1.4.1.1.7"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
IMPLICIT = "1.2.840.10008.1.2"


@pytest.fixture
def grey(make_dicom):
    """Grey levels of a film of one row."""

    def read(values, dtype=np.uint16, **elements):
        return read_dicom_film(make_dicom(np.array([values], dtype), **elements), limits=TINY)

    return read


def levels(film):
    return film.pixels[0].tolist()


def exactly(*values):
    return [float(np.float32(value)) for value in values]


# The stored range, where there is no window


def test_without_a_window_the_stored_range_counts_not_the_picture(grey):
    film = grey([0, 100, 4095], BitsStored=12)
    assert levels(film) == exactly(0, 100 / 4095, 1)
    assert film.facts["voi"] == "none"
    assert levels(grey([1000, 2000, 3000], BitsStored=12)) == exactly(1000 / 4095, 2000 / 4095, 3000 / 4095)


def test_all_16_bits_survive(make_dicom, ramp):
    values = ramp(256, 256, np.uint16)
    assert np.array_equal(np.rint(read_dicom_film(make_dicom(values)).pixels * 65535), values)


def test_signed_values(grey):
    assert levels(grey([-2048, 0, 2047], np.int16, BitsStored=12)) == exactly(0, 2048 / 4095, 1)
    assert levels(grey([-128, 127], np.int8)) == [0.0, 1.0]


def test_constant_film(grey):
    assert levels(grey([0, 0, 0, 0])) == [0.0] * 4
    assert levels(grey([5, 5], WindowCenter=5, WindowWidth=1)) == [1.0, 1.0]


def test_overlay_bits_above_the_pixel_are_not_pixels(grey):
    # Bit 12 carries an overlay, as old CR files have it; the pixels are 1 and 4095.
    assert levels(grey([0x1001, 0x1FFF], BitsStored=12)) == exactly(1 / 4095, 1)
    # The same for signed: 0x1801 is 0x801 = -2047 in 12 bits.
    assert levels(grey([0x1801], np.int16, BitsStored=12)) == exactly(1 / 4095)


# Window


def test_linear_window_by_the_standards_formula(grey):
    # Width 5 about 10: c - 0.5 - (w - 1) / 2 = 7.5 is black, 11.5 is white; between (x - 9.5) / 4 + 0.5.
    film = grey([7, 8, 9, 10, 11, 12], WindowCenter=10, WindowWidth=5)
    assert levels(film) == exactly(0, 0.125, 0.375, 0.625, 0.875, 1)
    assert film.facts["voi"] == "linear"


def test_width_one_is_a_step(grey):
    assert levels(grey([9, 10, 11], WindowCenter=10, WindowWidth=1)) == [0.0, 1.0, 1.0]


def test_exact_window_and_sigmoid(grey):
    film = grey([5, 10, 15], WindowCenter=10, WindowWidth=10, VOILUTFunction="LINEAR_EXACT")
    assert levels(film) == [0.0, 0.5, 1.0]
    assert film.facts["voi"] == "linear_exact"
    film = grey([0, 10, 60000], WindowCenter=10, WindowWidth=10, VOILUTFunction="SIGMOID")
    assert levels(film) == exactly(1 / (1 + np.exp(4)), 0.5, 1)
    assert film.facts["voi"] == "sigmoid"


def test_the_first_of_several_windows_counts(grey):
    film = grey([7, 9, 12], WindowCenter=[10, 30000], WindowWidth=[5, 60000])
    assert levels(film) == exactly(0, 0.375, 1)


def test_the_window_applies_to_rescaled_values(grey):
    # 2 x - 10: stored 9 is 8, stored 10 is 10, stored 11 is 12.
    film = grey([8, 9, 10, 11], RescaleSlope=2, RescaleIntercept=-10, WindowCenter=10, WindowWidth=5)
    assert levels(film) == exactly(0, 0.125, 0.625, 1)


def test_rescale_without_a_window(grey):
    assert levels(grey([0, 255], np.uint8, RescaleSlope=3, RescaleIntercept=7)) == [0.0, 1.0]
    # A negative slope turns light into dark on purpose.
    assert levels(grey([0, 51, 255], np.uint8, RescaleSlope=-1, RescaleIntercept=255)) == exactly(1, 0.8, 0)


@pytest.mark.parametrize(
    "window",
    [
        {"WindowCenter": 10, "WindowWidth": 0},
        {"WindowCenter": 10, "WindowWidth": -5},
        {"WindowCenter": 10, "WindowWidth": 0.5},
        {"WindowCenter": None, "WindowWidth": 5},
        {"WindowCenter": 10, "WindowWidth": None},
        {"WindowCenter": 10},
        {"WindowWidth": 10},
        {"WindowCenter": 10, "WindowWidth": 0, "VOILUTFunction": "SIGMOID"},
    ],
)
def test_half_a_window_is_none_and_says_so(grey, window):
    film = grey([0, 51, 255], np.uint8, **window)
    assert levels(film) == exactly(0, 0.2, 1)
    assert film.facts["voi"] == "unusable"


# Look-up tables


def table(first, entries, bits, *, count=None, kind="US"):
    item = Dataset()
    item.add_new("LUTDescriptor", kind, [len(entries) if count is None else count, first, bits])
    item.add_new("LUTData", "OW", np.array(entries, "<u2").tobytes())
    return item


def test_voi_table_wins_over_a_window(grey):
    film = grey([0, 10, 11, 12, 99], VOILUTSequence=[table(10, [0, 1023, 511], 10)], WindowCenter=10, WindowWidth=5)
    assert levels(film) == exactly(0, 0, 1, 511 / 1023, 511 / 1023)
    assert film.facts["voi"] == "lut"


@pytest.mark.parametrize("syntax", [IMPLICIT, "1.2.840.10008.1.2.1"])
def test_the_first_of_several_tables_counts(grey, syntax):
    tables = [table(0, [0, 255], 8), table(0, [255, 0], 8)]
    assert levels(grey([0, 1], VOILUTSequence=tables, syntax=syntax)) == [0.0, 1.0]


def test_voi_table_of_signed_values(grey):
    # First value -2, written where unsigned numbers are kept: 65534.
    film = grey([-3, -2, -1, 0], np.int16, VOILUTSequence=[table(65534, [0, 100, 255], 8)])
    assert levels(film) == exactly(0, 0, 100 / 255, 1)


def test_voi_table_of_all_values(grey):
    entries = np.arange(65536)[::-1]
    film = grey([0, 1, 65535], VOILUTSequence=[table(0, entries, 16, count=0)])
    assert levels(film) == exactly(1, 65534 / 65535, 0)


def test_modality_table_then_window(grey):
    film = grey([0, 1, 2], ModalityLUTSequence=[table(0, [8, 10, 12], 8)], WindowCenter=10, WindowWidth=5)
    assert levels(film) == exactly(0.125, 0.625, 1)
    film = grey([0, 1, 2], ModalityLUTSequence=[table(0, [0, 51, 255], 8)])
    assert levels(film) == exactly(0, 0.2, 1)


def test_big_endian_with_a_table(make_dicom):
    item = table(0, [0, 51, 255], 8)
    item["LUTData"].value = np.array([0, 51, 255], ">u2").tobytes()
    data = make_dicom(np.array([[0, 1, 2]], np.uint16), syntax=BIG_ENDIAN, VOILUTSequence=[item])
    assert levels(read_dicom_film(data, limits=TINY)) == exactly(0, 0.2, 1)


@pytest.mark.parametrize(
    "item",
    [
        table(0, [0, 1, 2], 8, count=4),
        table(0, [0, 1, 2], 8, count=1),
        table(0, [0, 1, 300], 8),
        table(0, [0, 1, 2], 7),
        table(0, [0, 1, 2], 17),
        Dataset(),
    ],
)
@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
def test_a_table_that_contradicts_itself_is_damage(grey, keyword, item):
    with pytest.raises(SourceError) as caught:
        grey([0, 1], **{keyword: [item]})
    assert caught.value.code == "E_SOURCE_DAMAGED"


@pytest.mark.parametrize(
    "rescale",
    [
        {"RescaleSlope": 0, "RescaleIntercept": 0},
        {"RescaleSlope": "1e300", "RescaleIntercept": 0},
        {"RescaleSlope": "1e-11", "RescaleIntercept": "1e12"},
    ],
)
def test_an_impossible_rescale_is_damage(grey, rescale):
    with pytest.raises(SourceError) as caught:
        grey([0, 1], **rescale)
    assert caught.value.code == "E_SOURCE_DAMAGED"


# Polarity


def test_monochrome1_is_inverted_after_the_window(grey):
    plain = {"WindowCenter": 10, "WindowWidth": 5}
    film = grey([7, 8, 9, 10, 11, 12], PhotometricInterpretation="MONOCHROME1", **plain)
    # Inverting the stored values first would put the window on the wrong end, and all would be black or white.
    assert levels(film) == exactly(1, 0.875, 0.625, 0.375, 0.125, 0)
    assert film.facts["photometric"] == "MONOCHROME1"


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME2", "IDENTITY", False),
    ],
)
def test_two_words_for_inversion_invert_once(grey, photometric, shape, inverted):
    film = grey([0, 51, 255], np.uint8, PhotometricInterpretation=photometric, PresentationLUTShape=shape)
    assert levels(film) == (exactly(1, 1 - 0.2, 0) if inverted else exactly(0, 0.2, 1))


# Transfer syntaxes


@pytest.mark.parametrize("syntax", [IMPLICIT, "1.2.840.10008.1.2.1", BIG_ENDIAN])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_native_pixels(make_dicom, syntax, dtype):
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    values = np.array([[low, high, 3], [1, 2, 0], [high, low, low]], dtype)
    film = read_dicom_film(make_dicom(values, syntax=syntax), limits=TINY)
    assert np.array_equal(np.rint(film.pixels * (int(high) - int(low)) + int(low)), values)


def test_big_endian_bytes_in_words(make_dicom):
    data = make_dicom(np.array([[1, 2, 3, 4]], np.uint8), syntax=BIG_ENDIAN)
    swapped = data.replace(b"OB\0\0\0\0\0\4\1\2\3\4", b"OW\0\0\0\0\0\4\2\1\4\3")
    assert swapped != data
    for film in (data, swapped):
        assert levels(read_dicom_film(film, limits=TINY)) == exactly(1 / 255, 2 / 255, 3 / 255, 4 / 255)


@pytest.mark.parametrize("name", ["JPEGLSLossless", "JPEG2000Lossless", "RLELossless"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_lossless_compression_changes_nothing(make_dicom, ramp, name, dtype):
    from io import BytesIO

    import pydicom

    values = ramp(48, 64, np.uint16)
    values = (values >> 8).astype(np.uint8) if dtype == np.uint8 else (values >> 4).astype(dtype)
    if dtype == np.int16:
        values -= 2048
    data = make_dicom(values, BitsStored=8 if dtype == np.uint8 else 12)
    dataset = pydicom.dcmread(BytesIO(data))
    dataset.compress(getattr(pydicom.uid, name), generate_instance_uid=False)
    out = BytesIO()
    dataset.save_as(out)
    assert len(out.getvalue()) < len(data)
    assert np.array_equal(read_dicom_film(out.getvalue()).pixels, read_dicom_film(data).pixels)


@pytest.mark.parametrize("process", ["JPEGLosslessProcess14", "JPEGLosslessProcess14_1"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_jpeg_lossless(make_dicom, ramp, tmp_path, process, dtype):
    gdcm = pytest.importorskip("gdcm")
    values = ramp(48, 64, dtype)
    path = tmp_path / "film.dcm"
    path.write_bytes(make_dicom(values))
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, process)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(path))
    assert writer.Write()
    assert b"\xff\xc3" in path.read_bytes()
    film = read_dicom_film(path.read_bytes())
    assert np.array_equal(np.rint(film.pixels * np.iinfo(dtype).max), values)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"])
def test_jpeg_of_8_bits(make_dicom, ramp, syntax):
    from io import BytesIO

    from PIL import Image

    values = ramp(48, 64, np.uint8)
    out = BytesIO()
    Image.fromarray(values).save(out, "JPEG", quality=100)
    film = read_dicom_film(make_dicom(values, syntax=syntax, stream=out.getvalue()))
    assert np.abs(film.pixels * 255 - values).max() < 2
    assert film.facts["lossy"] is True


# What is kept


def test_view_position(grey, make_dicom):
    for word, expected in [
        ("PA", "PA"),
        ("ap ", "AP"),
        ("LL", "LL"),
        ("RL", "RL"),
        ("LATERAL", "LATERAL"),
        ("LAT", "LATERAL"),
        ("LLD", "OTHER"),
        ("", "unknown"),
        ("SITTING DOE", "unknown"),
    ]:
        assert grey([1], ViewPosition=word).position == expected
    assert grey([1]).position == "unknown"


@pytest.mark.parametrize(
    ("value", "meaning", "expected"),
    [
        ("272479007", "", "PA"),
        ("R-10214", "postero-anterior", "PA"),
        ("R-10206", "", "AP"),
        ("399067008", "lateral projection", "LATERAL"),
        ("R-10236", "", "LL"),
        ("399198007", "", "RL"),
        ("LOCAL", "Antero-Posterior", "AP"),
        ("LOCAL", "PA by Doe", "PA"),
        ("LOCAL", "Doe", "unknown"),
        ("R-10206", "postero-anterior", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_view_code_sequence(grey, value, meaning, expected):
    item = Dataset()
    item.CodeValue, item.CodeMeaning, item.CodingSchemeDesignator = value, meaning, "SRT"
    assert grey([1], ViewCodeSequence=[item]).position == expected
    assert grey([1], ViewCodeSequence=[item], ViewPosition="AP").position == "AP"
    assert grey([1], ViewCodeSequence=[]).position == "unknown"


def test_facts(grey):
    film = grey(
        [1],
        BitsStored=12,
        SOPClassUID=DX,
        Modality="DX",
        BodyPartExamined="Chest",
        PixelSpacing=[0.2, 0.1],
        ImagerPixelSpacing=[0.25, 0.125],
        LossyImageCompression="01",
        LossyImageCompressionRatio=[10, 2.5],
        LossyImageCompressionMethod=["ISO_15444_1", "JANE DOE"],
        BurnedInAnnotation="NO",
    )
    assert film.facts == {
        "format": "dicom",
        "bits_stored": 12,
        "photometric": "MONOCHROME2",
        "sop_class": "DX",
        "modality": "DX",
        "voi": "none",
        "body_part": "chest",
        "burned_in": False,
        "pixel_spacing": [0.1, 0.1],
        "imager_pixel_spacing": [0.125, 0.125],
        "squared": True,
        "stored_size": [1.0, 1.0],
        "lossy": True,
        "lossy_ratio": [10.0, 2.5],
        "lossy_method": ["ISO_15444_1", "OTHER"],
    }


def test_facts_that_are_not_known_are_absent(grey):
    film = grey([1], PixelSpacing=[0, 0], LossyImageCompression="00", BodyPartExamined="HAND")
    assert set(film.facts) == {
        "format",
        "bits_stored",
        "photometric",
        "sop_class",
        "modality",
        "voi",
        "lossy",
        "body_part",
    }
    assert film.facts["lossy"] is False
    assert film.facts["body_part"] == "other"


def test_nothing_that_identifies_reaches_the_film(make_dicom):
    film = read_dicom_film(make_dicom(StudyDescription="Doe", AccessionNumber="123456", Manufacturer="Doe"))
    assert not {"Doe", "123456", "20200101", "2.25.1"} & set(map(str, film.facts.values()))


def test_modality_is_not_needed_where_the_class_says_it(grey):
    assert "modality" not in grey([1], without=["Modality"]).facts
    film = grey([1], SOPClassUID=SC, Modality="OT")
    assert (film.facts["sop_class"], film.facts["modality"]) == ("SC", "OT")
