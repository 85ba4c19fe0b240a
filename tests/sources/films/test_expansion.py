import io
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest

from neuralgraph.errors import SourceError
from neuralgraph.sources import read_film
from neuralgraph.sources.films.film import check_expansion

JPEG_2000 = "1.2.840.10008.1.2.4.90"


def test_what_is_refused():
    check_expansion(1, 32 * 1024 * 1024)
    check_expansion(80_000, 40_000_000)
    with pytest.raises(SourceError) as caught:
        check_expansion(79_999, 40_000_000)
    assert caught.value.code == "E_SOURCE_SIZE"


def jpeg(side):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (side, side)).save(stream, "JPEG", quality=5)
    return stream.getvalue()


def codestream(side):
    """The header of a JPEG 2000 codestream, and nothing of a picture."""
    size = struct.pack(">HHH8IH", 0xFF51, 41, 0, side, side, 0, 0, side, side, 0, 0, 1) + bytes((15, 1, 1))
    return b"\xff\x4f" + size + bytes(1500) + b"\xff\xd9"


@pytest.fixture
def bombs(make_dicom, make_png, png_chunk, tmp_path):
    folder = tmp_path / "bombs"
    folder.mkdir()
    header = struct.pack(">IIBBBBB", 60000, 60000, 16, 0, 0, 0, 0)
    square = {"Rows": 8000, "Columns": 8000}
    files = {
        "huge.png": b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(10**6))),
        "tight.png": make_png([bytes(8000)] * 8000, width=8000, depth=8, colour_type=0),
        "tight.dcm": make_dicom(syntax=JPEG_2000, stream=codestream(8000), **square),
        "lying.dcm": make_dicom(syntax=JPEG_2000, stream=codestream(60000), **square),
        "run.dcm": make_dicom(
            syntax="1.2.840.10008.1.2.5", stream=struct.pack("<16I", 2, 64, 68, *[0] * 13) + b"\x81\0" * 4, **square
        ),
        "huge.jpg": jpeg(16).replace(b"\x08\0\x10\0\x10", b"\x08\xea\x60\xea\x60"),
        "tight.jpg": jpeg(16).replace(b"\x08\0\x10\0\x10", b"\x08\x1f\x40\x1f\x40"),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_bombs_are_refused_within_a_second_and_256_mebibytes(bombs):
    for path in bombs.iterdir():
        with pytest.raises(SourceError) as caught:
            read_film(path)
        assert caught.value.code == "E_SOURCE_SIZE" or path.name == "lying.dcm", path.name
    script = """
        import resource, sys, time
        from pathlib import Path
        import numpy, pydicom.pixels
        from PIL import JpegImagePlugin, PngImagePlugin
        from neuralgraph.errors import SourceError
        from neuralgraph.sources import read_film
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for path in sorted(Path(sys.argv[1]).iterdir()):
            start = time.process_time()
            try:
                read_film(path)
            except SourceError:
                pass
            else:
                raise AssertionError(path.name)
            assert time.process_time() - start < 1, path.name
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024, path.name
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script), bombs],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_large_film_is_no_bomb(make_png, tmp_path):
    rows = np.random.default_rng(0).integers(0, 255, (6200, 6200), np.uint8)
    path = tmp_path / "film.png"
    path.write_bytes(make_png(rows, width=6200, depth=8, colour_type=0))
    assert read_film(path).pixels.shape == (6200, 6200)
