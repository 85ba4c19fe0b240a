import resource
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources import FilmLimits
from neuralgraph.sources.films.deflated import DEFLATED, inflated_file
from neuralgraph.sources.films.dicom import read_dicom_film
from neuralgraph.sources.films.dicom_header import read_transfer_syntax
from neuralgraph.sources.layouts.dicom_view import dicom_view


def deflated(data, *, cut=None):
    """The same file with its data set deflated."""
    _, start = read_transfer_syntax(data)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data[start:]) + packer.flush()
    uid = DEFLATED.encode()
    return bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 16, b"UI", len(uid)) + uid + packed[:cut]


def refusal(data, **options):
    with pytest.raises(SourceError) as caught:
        read_dicom_film(data, **options)
    return caught.value.code


def test_a_deflated_film_is_the_film(make_dicom, ramp, tmp_path):
    plain = make_dicom(ramp(40, 48, np.uint16), ViewPosition="PA", WindowCenter=30000, WindowWidth=60000)
    film, expected = read_dicom_film(deflated(plain)), read_dicom_film(plain)
    assert (film.pixels == expected.pixels).all()
    assert (film.position, film.facts) == (expected.position, expected.facts)
    (tmp_path / "film.dcm").write_bytes(deflated(plain))
    assert dicom_view(str(tmp_path / "film.dcm")) == "PA"


def test_other_files_stay_as_they_are(make_dicom):
    data = make_dicom()
    assert inflated_file(data) is data


def test_only_the_header_where_no_pixels_are_wanted(make_dicom):
    assert len(inflated_file(deflated(make_dicom(np.zeros((2000, 2000), np.uint8))))) < 1000


def test_damage(make_dicom, ramp):
    data = make_dicom(ramp(40, 48, np.uint8))
    whole = deflated(data)
    for cut in (0, 10, 100, -40):
        assert refusal(deflated(data, cut=cut)) in ("E_SOURCE_DAMAGED", "E_SOURCE_KIND")
    assert refusal(whole[:-300] + bytes([255]) * 300) == "E_SOURCE_DAMAGED"


def test_limits(make_dicom):
    data = deflated(make_dicom(np.zeros((20, 20), np.uint8)))
    assert refusal(data, limits=FilmLimits(max_pixels=399)) == "E_SOURCE_SIZE"


@pytest.fixture(scope="module")
def bombs(make_dicom):
    huge = {"Rows": 60000, "Columns": 60000}
    return {
        "header": deflated(make_dicom(ImageComments="x" * 600_000_000)),
        "picture": deflated(make_dicom(**huge)),
        "tight": deflated(make_dicom(np.zeros((8000, 8000), np.uint8))),
    }


def test_bombs_cost_neither_time_nor_memory(bombs, tmp_path):
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    script = """
        import resource, sys, time
        from pathlib import Path
        import numpy, pydicom.pixels
        from neuralgraph.errors import SourceError
        from neuralgraph.sources import read_film
        for path in sorted(Path(sys.argv[1]).iterdir()):
            before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            try:
                read_film(path)
            except SourceError as error:
                assert error.code == "E_SOURCE_SIZE", error
            else:
                raise AssertionError(path.name)
            assert time.process_time() - start < 1, path.name
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024, path.name
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), tmp_path],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_pixels_beyond_the_picture_are_not_inflated(make_dicom):
    data = make_dicom(np.zeros((16, 16), np.uint8))
    longer = data[:-260] + struct.pack("<I", 500_000_000) + bytes(500_000)
    assert data[-260:-256] == struct.pack("<I", 256)
    assert len(inflated_file(deflated(longer), FilmLimits())) < 2 * 500_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_dicom_film(deflated(longer)).pixels.shape == (16, 16)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
