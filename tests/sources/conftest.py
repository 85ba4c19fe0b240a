import os
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

CR = "1.2.840.10008.5.1.4.1.1.1"
EXPLICIT = "1.2.840.10008.1.2.1"


@pytest.fixture(scope="session")
def shared():
    root = os.environ.get("NEURALGRAPH_SHARED")
    folder = Path(root) if root else Path(__file__).parents[2] / ".." / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the shared films are not on this machine")
    return folder / "data"


def make_dicom(*args, **options):
    """Bytes of a DICOM film; what is wrong with it on purpose raises no warning here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _dicom(*args, **options)


def _dicom(pixels=None, *, syntax=EXPLICIT, stream=None, without=(), **elements):
    # ``stream`` is a compressed frame; ``pixels``, an integer array, gives shape and bits in any case.
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import UID

    pixels = np.zeros((16, 16), np.uint16) if pixels is None else pixels
    bits = 8 * pixels.dtype.itemsize
    dataset = Dataset()
    dataset.SOPClassUID = CR
    dataset.SOPInstanceUID = "2.25.1"
    dataset.PatientName = "Doe^Jane"
    dataset.StudyDate = "20200101"
    dataset.Modality = "CR"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = bits
    dataset.BitsStored = bits
    dataset.HighBit = elements.get("BitsStored", bits) - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    big_endian = syntax == "1.2.840.10008.1.2.2"
    if stream is None:
        order = ">" if big_endian else "<"
        raw = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
        dataset.add_new("PixelData", "OB" if bits == 8 else "OW", raw + b"\0" * (len(raw) % 2))
    else:
        dataset.add_new("PixelData", "OB", encapsulate([stream]))
        dataset["PixelData"].is_undefined_length = True
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    for keyword in without:
        delattr(dataset, keyword)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CR)
    dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    out = BytesIO()
    dcmwrite(
        out,
        dataset,
        enforce_file_format=True,
        **({} if syntax != "1.2.840.10008.1.2.2" else {"little_endian": False, "implicit_vr": False}),
    )
    return out.getvalue()


@pytest.fixture(scope="session", name="make_dicom")
def _make_dicom():
    return make_dicom


def png_chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def make_png(rows, *, width, depth, colour_type, extra=(), interlace=0):
    """A PNG from the packed bytes of each row, so that every kind and depth can be written."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour_type, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    body = [png_chunk(b"IHDR", header), *(png_chunk(kind, payload) for kind, payload in extra)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


@pytest.fixture(scope="session", name="make_png")
def _make_png():
    return make_png


@pytest.fixture(scope="session", name="png_chunk")
def _png_chunk():
    return png_chunk


def ramp(height, width, dtype):
    """Values spread over the whole range of ``dtype``, no row like another."""
    top = int(np.iinfo(dtype).max)
    steps = np.linspace(0, top, height * width)
    return steps.round().astype(dtype).reshape(height, width)


@pytest.fixture(scope="session", name="ramp")
def _ramp():
    return ramp
