"""The same object in another encoding is the same; another value is not."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

pytest.importorskip("pydicom", reason="the extra dicom is not installed")

from neuralgraph.pacs.same_object import same_object
from tests.sources.conftest import make_dicom, ramp

PIXELS = ramp(16, 16, np.uint16)
BIG_ENDIAN, RUN_LENGTH = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"


def run_length(data: bytes) -> bytes:
    from pydicom import dcmread

    dataset, stream = dcmread(BytesIO(data)), BytesIO()
    dataset.compress(RUN_LENGTH, generate_instance_uid=False)
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def test_encodings_of_one_object():
    plain = make_dicom(PIXELS)
    assert same_object(plain, plain)
    assert same_object(plain, run_length(plain))
    # What stands before the data set is the sender's own business.
    assert same_object(plain, b"another sender".ljust(128, b"\0") + plain[128:])


def test_other_pixels_and_other_elements():
    plain = make_dicom(PIXELS)
    assert not same_object(plain, make_dicom(PIXELS + np.uint16(1)))
    assert not same_object(plain, run_length(make_dicom(PIXELS + np.uint16(1))))
    assert not same_object(plain, make_dicom(PIXELS, PatientName="Roe^Jane"))


def test_what_cannot_be_read_is_another():
    plain = make_dicom(PIXELS)
    assert not same_object(plain, plain[:200])
    assert not same_object(plain, b"")
