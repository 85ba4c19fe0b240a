import os
import struct
import subprocess
import sys
import textwrap
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from neuralgraph.errors import SourceError
from neuralgraph.sources import FilmLimits
from neuralgraph.sources.films.dicom import read_dicom_film

SC = "1.2.840.10008.5.1.4.1.1.7"
JPEG = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
RUN_LENGTH = "1.2.840.10008.1.2.5"


def refusal(data, **options):
    with pytest.raises(SourceError) as caught:
        read_dicom_film(data, **options)
    error = caught.value
    assert "\n" not in str(error)
    assert "Doe" not in str(error)
    assert "2.25.1" not in str(error)
    return error


# Kinds


@pytest.mark.parametrize(
    "elements",
    [
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.2"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"},
        {"SOPClassUID": "1.2.826.0.1.99"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"},
        {"without": ["SOPClassUID"]},
        {"without": ["SOPClassUID", "Modality"]},
        {"Modality": "CT"},
        {"Modality": "MG"},
        {"Modality": "OT"},
        {"Modality": "JANE DOE"},
        {"Modality": "NM", "SOPClassUID": SC},
        {"NumberOfFrames": 2},
        {"NumberOfFrames": 0},
        {"PhotometricInterpretation": "RGB"},
        {"PhotometricInterpretation": "YBR_FULL"},
        {"PhotometricInterpretation": "MONOCHROME2", "SamplesPerPixel": 3},
        {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 4},
        {"PhotometricInterpretation": ""},
        {"SamplesPerPixel": 3},
        {"BurnedInAnnotation": "YES"},
        {"without": ["PixelData"]},
    ],
)
def test_what_is_no_grey_single_radiograph(make_dicom, elements):
    assert refusal(make_dicom(**elements)).code == "E_SOURCE_KIND"


def test_private_classes_and_syntaxes_are_not_quoted(make_dicom):
    assert "1.2.826" not in str(refusal(make_dicom(SOPClassUID="1.2.826.0.1.99")))
    data = make_dicom()
    assert data.count(b"1.2.840.10008.1.2.1\0") == 1
    error = refusal(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.826.0.1.9999999\0"))
    assert error.code == "E_SOURCE_ENCODING"
    assert "1.2.826" not in str(error)
    video = refusal(data.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.4.100\0"[:20]))
    assert video.code in ("E_SOURCE_ENCODING", "E_SOURCE_DAMAGED")


def test_a_refused_kind_names_the_class(make_dicom):
    assert "CT Image Storage" in str(refusal(make_dicom(SOPClassUID="1.2.840.10008.5.1.4.1.1.2")))


def test_float_pixels(make_dicom):
    data = make_dicom(without=["PixelData"], FloatPixelData=bytes(1024))
    assert refusal(data).code == "E_SOURCE_KIND"


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"BitsAllocated": 32}, "E_SOURCE_ENCODING"),
        ({"BitsAllocated": 1, "BitsStored": 1}, "E_SOURCE_ENCODING"),
        ({"BitsStored": 7}, "E_SOURCE_ENCODING"),
        ({"BitsStored": 17}, "E_SOURCE_ENCODING"),
        ({"BitsStored": 12, "HighBit": 15}, "E_SOURCE_ENCODING"),
        ({"PixelRepresentation": 2}, "E_SOURCE_DAMAGED"),
        ({"VOILUTFunction": "MAGIC", "WindowCenter": 1, "WindowWidth": 2}, "E_SOURCE_ENCODING"),
        ({"without": ["Rows"]}, "E_SOURCE_DAMAGED"),
        ({"without": ["BitsStored"]}, "E_SOURCE_DAMAGED"),
        ({"without": ["PixelRepresentation"]}, "E_SOURCE_DAMAGED"),
        ({"Rows": 15}, "E_SOURCE_SIZE"),
        ({"Rows": 0}, "E_SOURCE_SIZE"),
        ({"Rows": 65535, "Columns": 65535}, "E_SOURCE_SIZE"),
        ({"Rows": 17}, "E_SOURCE_DAMAGED"),
        ({"Rows": [16, 16]}, "E_SOURCE_DAMAGED"),
    ],
)
def test_headers_that_cannot_be_used(make_dicom, elements, code):
    assert refusal(make_dicom(**elements)).code == code


def test_values_that_are_no_numbers(make_dicom):
    for old, new in [(b"10.5", b"Doe1"), (b"10.5", b"nan "), (b"10.5", b"1e99")]:
        data = make_dicom(WindowCenter="10.5", WindowWidth="20")
        assert data.count(old) == 1
        if new == b"1e99":
            assert read_dicom_film(data.replace(old, new)).facts["voi"] == "unusable"
        else:
            assert refusal(data.replace(old, new)).code == "E_SOURCE_DAMAGED"


@pytest.mark.parametrize("keyword", ["SOPClassUID", "Modality", "BodyPartExamined", "LossyImageCompression"])
@pytest.mark.parametrize(("kind", "value"), [("US", b"\7\0"), ("FD", bytes(8)), ("OB", b"\1\2"), ("AT", bytes(8))])
def test_words_in_the_representation_of_numbers(make_dicom, keyword, kind, value):
    data = make_dicom(BodyPartExamined="CHEST", LossyImageCompression="00")
    tag = pydicom.datadict.tag_for_keyword(keyword)
    start = data.rindex(struct.pack("<HH", tag >> 16, tag & 0xFFFF))
    end = start + 8 + struct.unpack_from("<H", data, start + 6)[0]
    length = struct.pack("<HI", 0, len(value)) if kind == "OB" else struct.pack("<H", len(value))
    changed = data[: start + 4] + kind.encode() + length + value + data[end:]
    with suppress(SourceError):
        assert read_dicom_film(changed).pixels.shape == (16, 16)


# Structure


def test_no_dicom_at_all():
    for data in (b"x", b"DICM", bytes(200), b"\0" * 128 + b"DICOM"[:3]):
        assert refusal(data).code == "E_SOURCE_TYPE"


def test_the_meta_information_must_make_sense(make_dicom):
    data = make_dicom()
    assert refusal(data[:132]).code == "E_SOURCE_DAMAGED"
    assert refusal(data[:150]).code == "E_SOURCE_DAMAGED"
    element = b"\x02\0\x10\0UI" + struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0"
    assert data.count(element) == 1
    assert refusal(data.replace(element, element * 2)).code == "E_SOURCE_DAMAGED"
    assert refusal(data.replace(element, b"")).code == "E_SOURCE_DAMAGED"


def test_a_film_cut_anywhere_is_refused(make_dicom):
    data = make_dicom(np.zeros((16, 16), np.uint8))
    for length in range(132, len(data)):
        assert refusal(data[:length]).code in ("E_SOURCE_DAMAGED", "E_SOURCE_KIND")


def _compressed(make_dicom, ramp, name):
    dataset = pydicom.dcmread(BytesIO(make_dicom(ramp(40, 48, np.uint16))))
    dataset.compress(getattr(pydicom.uid, name), generate_instance_uid=False)
    out = BytesIO()
    dataset.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["JPEGLSLossless", "JPEG2000Lossless", "RLELossless"])
def test_a_compressed_film_cut_anywhere_is_refused(make_dicom, ramp, name):
    data = _compressed(make_dicom, ramp, name)
    for length in range(data.rindex(b"\xfe\xff\x00\xe0"), len(data), 5):
        assert refusal(data[:length]).code == "E_SOURCE_DAMAGED"


def test_a_millions_of_elements_header_gives_up_early(make_dicom):
    data = make_dicom()
    start = data.index(b"\x28\0\x02\0US")
    filler = b"\x18\0\x10\x10LO\0\0" * 200_000
    assert "more elements" in str(refusal(data[:start] + filler + data[start:]))


def test_deep_nesting_gives_up_early(make_dicom):
    data = make_dicom()
    start = data.index(b"\x28\0\x02\0US")
    nest = (b"\x18\0\x12\0SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 20_000
    assert refusal(data[:start] + nest + data[start:]).code == "E_SOURCE_DAMAGED"


def test_a_huge_table_is_not_parsed(make_dicom):
    data = make_dicom()
    start = data.index(b"\xe0\x7f\x10\0OW")
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", 0)
    body = item * 300_000
    sequence = b"\x28\0\x10\x30SQ\0\0" + struct.pack("<I", len(body)) + body
    assert "larger" in str(refusal(data[:start] + sequence + data[start:]))


# Codestreams


def jpeg(height, width, *, mode="L"):
    out = BytesIO()
    Image.new(mode, (width, height)).save(out, "JPEG")
    return out.getvalue()


def siz(height, width, *, components=1, tile=None, precision=16):
    tile = tile or (height, width)
    body = struct.pack(">H8IH", 0, width, height, 0, 0, tile[1], tile[0], 0, 0, components)
    body += bytes([precision - 1, 1, 1]) * components
    return b"\xff\x4f\xff\x51" + struct.pack(">H", len(body) + 2) + body + bytes(20) + b"\xff\xd9"


def jpeg_ls(height, width):
    frame = b"\xff\xf7\0\x0b\x10" + struct.pack(">HH", height, width) + b"\1\1\x11\0"
    return b"\xff\xd8" + frame + b"\xff\xda\0\x08\1\1\0\0\0\0" + bytes(20) + b"\xff\xd9"


@pytest.mark.parametrize(
    ("syntax", "stream"),
    [
        (JPEG, jpeg(20, 21)),
        (JPEG, jpeg(21, 20)),
        (JPEG, jpeg(20, 20)[:-2]),
        (JPEG, jpeg(20, 20)[:100]),
        (JPEG, b"\xff\xd8"),
        (JPEG, siz(20, 20)),
        (JPEG_LOSSLESS, jpeg(20, 20)),
        (JPEG_LS, jpeg(20, 20)),
        (JPEG_LS, jpeg_ls(20, 2000)),
        (JPEG_LS, jpeg_ls(20, 20)),
        (JPEG_2000, siz(16000, 16000)),
        (JPEG_2000, siz(20, 20)),
        (JPEG_2000, siz(20, 20, tile=(0, 20))),
        (JPEG_2000, siz(20, 20, precision=32)),
        (JPEG_2000, b"\0\0\0\x0cjP  \r\n\x87\n" + siz(20, 20)),
        (JPEG_2000, jpeg(20, 20)),
        (JPEG_2000, b"\xff\x4f\xff\x51"),
        (RUN_LENGTH, struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 4),
        (RUN_LENGTH, struct.pack("<16I", 2, 64, 9999, *[0] * 13) + b"\x81\0" * 4),
        (RUN_LENGTH, struct.pack("<16I", 2, 64, 68, *[0] * 13) + b"\x81\0" * 400),
        (RUN_LENGTH, bytes(64)),
        (RUN_LENGTH, b"\2"),
    ],
)
def test_compressed_pixels_that_lie_are_damage(make_dicom, syntax, stream):
    pixels = np.zeros((20, 20), np.uint16)
    assert refusal(make_dicom(pixels, syntax=syntax, stream=stream)).code == "E_SOURCE_DAMAGED"


def test_colour_inside_a_grey_header(make_dicom):
    pixels = np.zeros((20, 20), np.uint8)
    for syntax, stream in [(JPEG, jpeg(20, 20, mode="RGB")), (JPEG_2000, siz(20, 20, components=3, precision=8))]:
        assert refusal(make_dicom(pixels, syntax=syntax, stream=stream)).code == "E_SOURCE_KIND"


@pytest.mark.parametrize(("syntax", "bits"), [(JPEG, 12), ("1.2.840.10008.1.2.4.51", 10)])
def test_jpeg_of_other_bits_is_an_unsupported_encoding(make_dicom, syntax, bits):
    stream = bytearray(jpeg(20, 20))
    stream[stream.index(b"\xff\xc0") + 4] = bits
    data = make_dicom(np.zeros((20, 20), np.uint16), syntax=syntax, stream=bytes(stream), BitsStored=12)
    assert refusal(data).code == "E_SOURCE_ENCODING"


def test_native_and_encapsulated_must_agree_with_the_syntax(make_dicom):
    native = make_dicom().replace(b"UI\x14\0" + b"1.2.840.10008.1.2.1\0", b"UI\x14\0" + b"1.2.840.10008.1.2.5\0")
    assert refusal(native).code == "E_SOURCE_DAMAGED"
    wrapped = make_dicom(syntax=RUN_LENGTH, stream=bytes(100))
    wrapped = wrapped.replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0")
    assert refusal(wrapped).code == "E_SOURCE_DAMAGED"


def test_corrupt_lossless_jpeg_is_quiet(make_dicom, capfd):
    stream = bytearray(jpeg(20, 20))
    stream[stream.index(b"\xff\xc0") + 1] = 0xC3
    assert refusal(make_dicom(np.zeros((20, 20), np.uint8), syntax=JPEG_LOSSLESS, stream=bytes(stream))).code == (
        "E_SOURCE_DAMAGED"
    )
    assert capfd.readouterr().err == ""


def test_a_bomb_costs_neither_time_nor_memory(make_dicom, tmp_path):
    square = {"Rows": 16000, "Columns": 16000}
    bombs = {
        "honest": make_dicom(syntax=JPEG_2000, stream=siz(16000, 16000), **square),
        "lying": make_dicom(syntax=JPEG_2000, stream=siz(16000, 16000)),
        "tiled": make_dicom(syntax=JPEG_2000, stream=siz(8000, 8000, tile=(1, 1)), Rows=8000, Columns=8000),
        "jpeg": make_dicom(np.zeros((16, 16), np.uint8), syntax=JPEG, stream=jpeg(5000, 5000)),
        "native": make_dicom(**square),
    }
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    script = """
        import resource, sys, time
        from pathlib import Path
        import numpy, pydicom.pixels
        from neuralgraph.errors import SourceError
        from neuralgraph.sources import read_film

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        room = pages * resource.getpagesize() + 256 * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        for path in sorted(Path(sys.argv[1]).iterdir()):
            start = time.process_time()
            try:
                read_film(path)
            except SourceError as error:
                assert error.code in ("E_SOURCE_SIZE", "E_SOURCE_DAMAGED"), error
                assert "memory" not in error.message, error
            else:
                raise AssertionError(path.name)
            assert time.process_time() - start < 1, path.name
    """
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs the memory figures of Linux")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_run_length_stops_at_the_last_pixel(make_dicom):
    runs = b"\x81\x07" * 2
    stream = struct.pack("<16I", 2, 64, 68, *[0] * 13) + runs + runs * 10**6
    film = read_dicom_film(make_dicom(syntax=RUN_LENGTH, stream=stream))
    assert (film.pixels == np.float32(0x0707 / 65535)).all()


def test_limits_are_the_callers(make_dicom):
    data = make_dicom(np.zeros((20, 20), np.uint8))
    assert refusal(data, limits=FilmLimits(max_pixels=399)).code == "E_SOURCE_SIZE"
    assert read_dicom_film(data, limits=FilmLimits(max_pixels=400)).pixels.shape == (20, 20)


# Anything


@pytest.fixture(scope="module")
def seeds(make_dicom, ramp):
    films = [_compressed(make_dicom, ramp, name) for name in ("JPEGLSLossless", "JPEG2000Lossless", "RLELossless")]
    values = ramp(40, 48, np.uint8)
    return [
        *films,
        make_dicom(values, WindowCenter=[100, 5], WindowWidth=[50, 5], RescaleSlope=2, RescaleIntercept=-5),
        make_dicom(values, syntax="1.2.840.10008.1.2"),
        make_dicom(values, syntax=JPEG, stream=jpeg(40, 48)),
    ]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutants_give_a_film_or_one_error(seeds, data):
    mutant = bytearray(data.draw(st.sampled_from(seeds)))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(132, len(mutant)))
        kind = data.draw(st.sampled_from(["set", "cut", "put"]))
        if kind == "set":
            mutant[position : position + 1] = data.draw(st.binary(min_size=1, max_size=1))
        elif kind == "cut":
            del mutant[position : position + data.draw(st.integers(1, 30))]
        else:
            mutant[position:position] = data.draw(st.binary(max_size=8))
    # Any other exception fails the test.
    with suppress(SourceError):
        assert min(read_dicom_film(bytes(mutant)).pixels.shape) >= 16
