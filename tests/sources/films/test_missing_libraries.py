import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuralgraph.errors import MissingExtraError
from neuralgraph.sources.films.dicom import read_dicom_film
from neuralgraph.sources.films.images import read_png_film


def test_without_pydicom(make_dicom, monkeypatch):
    data = make_dicom()
    monkeypatch.setitem(sys.modules, "pydicom.filereader", None)
    with pytest.raises(MissingExtraError, match=r"'\.\[dicom\]'"):
        read_dicom_film(data)


def test_without_pillow(make_png, monkeypatch):
    data = make_png([bytes(16)] * 16, width=16, depth=8, colour_type=0)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingExtraError, match="PIL"):
        read_png_film(data)


def test_without_a_decoder(make_dicom, monkeypatch):
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID

    syntax = "1.2.840.10008.1.2.4.80"
    frame = b"\xff\xf7\0\x0b\x08\0\x14\0\x14\1\1\x11\0\xff\xda\0\x08\1\1\0\0\0\0"
    data = make_dicom(np.zeros((20, 20), np.uint8), syntax=syntax, stream=b"\xff\xd8" + frame + b"\xff\xd9")
    monkeypatch.setattr(get_decoder(UID(syntax)), "_available", {})
    with pytest.raises(MissingExtraError, match="jpeg_ls"):
        read_dicom_film(data)


def test_the_room_loads_no_library_before_a_film_is_read():
    script = "import sys, neuralgraph.sources; print(sorted({'pydicom', 'PIL', 'gdcm', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    )
    assert done.stdout.strip() == "[]"
