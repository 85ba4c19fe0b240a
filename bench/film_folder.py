"""Any folder of films through the product, with the pixels of a decoder that is not ours beside them.

    python -m bench.film_folder FOLDER [--json FILE] [--pictures FOLDER] [--limit N]

Every file below FOLDER is read as ``ngr`` reads it: a film, with what was done to it, or the code of its refusal. Of a
film, two things are compared with another program's:

- the stored values (before any grey-level transformation) with GDCM's, or with pydicom's where GDCM has none;
- the picture as shown with that of DCMTK's ``dcm2pnm``, where it is installed: by the first LUT or window of the
  header, and polarity. A film that was rescued differs there by intention; a turned or squared one is compared before
  that. A PNG or JPEG is compared with Pillow's conversion to grey.

Columns say how far the two lie apart at most, stored values in steps, shown pixels in 1/255. A table goes to stdout,
one line a file; ``--pictures`` writes theirs and ours side by side, which is how a film is really judged. Exit code 1:
a stored value differs, or a file ended in anything but a film or a coded refusal.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from neuralgraph.errors import NeuralGraphError
from neuralgraph.sources import Film, FilmLimits
from neuralgraph.sources.films.dicom import StoredFilm, is_dicom, read_stored_film
from neuralgraph.sources.films.recognise import read_film

__all__ = ["Outcome", "compare_folder", "main"]

_SIDE = 360


@dataclass
class Outcome:
    """What became of one file."""

    name: str
    outcome: str
    """"film", an error code, or the name of an exception that has none: a bug."""
    size: str = ""
    view: str = ""
    quality: str = ""
    done: str = ""
    """What was done to it: rescue, turn, square pixels, marks."""
    stored_by: str = ""
    """The other decoder of the stored values."""
    stored_apart: float | None = None
    shown_by: str = ""
    shown_apart: float | None = None


def compare_folder(folder: Path, *, pictures: Path | None = None, limit: int = 0) -> Iterator[Outcome]:
    """The outcome of every file below a folder, in the order of their names.

    Parameters
    ----------
    folder : with films, or a file.
    pictures : where pairs of pictures are written, theirs on the left.
    limit : at most so many files; 0 is all.
    """
    paths = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    for number, path in enumerate(paths[: limit or None]):
        name = path.name if folder.is_file() else path.relative_to(folder).as_posix()
        outcome, theirs, film = _outcome(path, name)
        if pictures is not None and film is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            _pair(theirs, film).save(pictures / f"{number:05d}.png")
        yield outcome


def _outcome(path: Path, name: str) -> tuple[Outcome, NDArray[np.float64] | None, Film | None]:
    try:
        film = read_film(path)
    except NeuralGraphError as error:
        return Outcome(name, error.code), None, None
    except Exception as error:  # noqa: BLE001  whatever it is, it is a finding of this program
        return Outcome(name, type(error).__name__), None, None
    facts = film.facts
    height, width = film.pixels.shape
    done = [str(facts[key]) for key in ("rescue", "turned") if key in facts]
    done += [key for key in ("squared",) if facts.get(key)]
    done += [f"text {facts['text_marks']}"] if "text_marks" in facts else []
    done += [str(facts["position"])] if "position" in facts else []
    outcome = Outcome(name, "film", f"{width} x {height}", film.position, str(facts["quality"]), ", ".join(done))
    data = path.read_bytes()
    if is_dicom(data):
        stored = read_stored_film(data, limits=FilmLimits(min_side=1))
        outcome.stored_by, values = _stored_elsewhere(path, stored)
        if values is not None:
            outcome.stored_apart = float(np.abs(values.astype(np.int64) - stored.values.astype(np.int64)).max())
        theirs = _shown_by_dcmtk(path, values, signed=stored.layout.is_signed)
        if theirs is not None and theirs.shape == stored.values.shape:
            outcome.shown_by = "DCMTK"
            outcome.shown_apart = round(255 * float(np.abs(theirs - stored.film().pixels).max()), 2)
        return outcome, theirs, film
    with Image.open(path) as image:
        theirs = _by_pillow(image)
    if "turned" not in facts and theirs.shape == film.pixels.shape:
        outcome.shown_by, outcome.shown_apart = "Pillow", round(255 * float(np.abs(theirs - film.pixels).max()), 2)
    return outcome, theirs, film


def _by_pillow(image: Image.Image) -> NDArray[np.float64]:
    if image.mode in ("I;16", "I"):
        return np.asarray(image, np.float64) / 65535
    return np.asarray(image.convert("RGBA").convert("RGB").convert("L"), np.float64) / 255


def _stored_elsewhere(path: Path, stored: StoredFilm) -> tuple[str, NDArray[np.int64] | None]:
    """Stored values by GDCM; where it cannot, by pydicom and whichever of its plug-ins it prefers."""
    if stored.colouring:
        return "", None
    values = _stored_by_gdcm(path)
    if values is not None and values.shape == stored.values.shape:
        return "GDCM", values
    import pydicom

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "pydicom", np.asarray(pydicom.dcmread(path).pixel_array, np.int64)
    except Exception:  # noqa: BLE001  what the other decoder cannot read is not compared
        return "", None


def _stored_by_gdcm(path: Path) -> NDArray[np.int64] | None:
    try:
        import gdcm
    except ImportError:
        return None
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        return None
    image = reader.GetImage()
    pixel = image.GetPixelFormat()
    kinds = {8: ("u1", "i1"), 16: ("u2", "i2"), 12: ("u2", "i2")}
    if pixel.GetBitsAllocated() not in kinds or pixel.GetSamplesPerPixel() != 1 or image.GetNumberOfDimensions() != 2:
        return None
    kind = kinds[pixel.GetBitsAllocated()][pixel.GetPixelRepresentation()]
    buffer = image.GetBuffer()
    raw = buffer.encode("utf-8", "surrogateescape") if isinstance(buffer, str) else bytes(buffer)
    columns, rows = image.GetDimension(0), image.GetDimension(1)
    if len(raw) < rows * columns * int(kind[1]):
        return None
    values = np.frombuffer(raw, f"<{kind}", rows * columns).reshape(rows, columns).astype(np.int64)
    unused = pixel.GetBitsAllocated() - pixel.GetBitsStored()
    mask = (1 << pixel.GetBitsStored()) - 1
    if not pixel.GetPixelRepresentation():
        return values & mask
    return (values << (64 - 8 * int(kind[1]) + unused)) >> (64 - 8 * int(kind[1]) + unused)


def _shown_by_dcmtk(path: Path, values: NDArray[np.int64] | None, *, signed: bool) -> NDArray[np.float64] | None:
    """What DCMTK shows of a film by its first VOI LUT or window, else by the range that can be stored; 0..1.

    Parameters
    ----------
    path : the film.
    values : its stored values by another decoder than ours: DCMTK is given them uncompressed, whatever it can decode.
    signed : how they are stored.
    """
    program = shutil.which("dcm2pnm")
    if program is None or values is None:
        return None
    import pydicom

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        film, out = Path(folder) / "film.dcm", Path(folder) / "shown.pgm"
        dataset = pydicom.dcmread(path)
        kind = f"<{'i' if signed else 'u'}{dataset.BitsAllocated // 8}"
        raw = values.astype(kind).tobytes()
        dataset.add_new("PixelData", "OW", raw + b"\0" * (len(raw) % 2))
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        # Windows of a width below 1 are none, and DCMTK stops at them.
        if dataset.get("PixelPaddingValue") is not None:
            del dataset.PixelPaddingValue
        dataset.save_as(film, enforce_file_format=True)
        windowed = dataset.get("WindowCenter") is not None and dataset.get("WindowWidth") is not None
        how = ["+Wl", "1"] if "VOILUTSequence" in dataset else ["+Wi", "1"] if windowed else _whole_range(dataset)
        done = subprocess.run([program, *how, "+opw", film, out], capture_output=True, check=False, timeout=120)
        return _pgm(out.read_bytes()) if done.returncode == 0 and out.is_file() else None


def _whole_range(dataset: Any) -> list[str]:
    """The option that shows the whole range that can be stored, after the modality LUT (PS3.3 C.11.1, C.11.2.1.2.1)."""
    if "ModalityLUTSequence" in dataset:
        low, high = 0.0, float(2 ** (int(dataset.ModalityLUTSequence[0].LUTDescriptor[2])) - 1)
    else:
        bits = int(dataset.BitsStored)
        first = -(1 << bits - 1) if dataset.PixelRepresentation else 0
        slope = float(dataset.get("RescaleSlope") or 1)
        ends = [
            value * slope + float(dataset.get("RescaleIntercept") or 0) for value in (first, first + (1 << bits) - 1)
        ]
        low, high = min(ends), max(ends)
    # The window whose edges these are.
    return ["+Ww", str((low + high) / 2 + 0.5), str(high - low + 1)]


def _pgm(data: bytes) -> NDArray[np.float64] | None:
    """A plain grey map: "P2", width, height, the largest value, the values; lines that begin with # are comments."""
    lines = (line for line in data.splitlines() if not line.startswith(b"#"))
    words = b" ".join(lines).split()
    if len(words) < 4 or words[0] != b"P2":
        return None
    width, height, top = (int(word) for word in words[1:4])
    values = np.array(words[4:], np.float64)
    return values.reshape(height, width) / top if len(values) == width * height else None


def _pair(theirs: NDArray[np.float64] | None, film: Film) -> Image.Image:
    sheet = Image.new("L", (2 * _SIDE + 8, _SIDE), 90)
    for number, pixels in enumerate((theirs, film.pixels)):
        if pixels is not None:
            picture = Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8))
            picture.thumbnail((_SIDE, _SIDE))
            sheet.paste(picture, (number * (_SIDE + 8), 0))
    return sheet


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write the outcomes here too")
    parser.add_argument("--pictures", type=Path, help="write pairs of pictures, theirs and ours, into this folder")
    parser.add_argument("--limit", type=int, default=0)
    given = parser.parse_args(arguments)
    outcomes = []
    for outcome in compare_folder(given.folder, pictures=given.pictures, limit=given.limit):
        outcomes.append(outcome)
        print(_line(outcome))
    counts = Counter(outcome.outcome for outcome in outcomes)
    print(", ".join(f"{count} {name}" for name, count in counts.most_common()) or "no file")
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n", encoding="utf-8")
    return 1 if any(_is_wrong(outcome) for outcome in outcomes) else 0


def _is_wrong(outcome: Outcome) -> bool:
    """Stored values are whole numbers: those of lossy encodings may be rounded apart by one or two."""
    coded = outcome.outcome == "film" or outcome.outcome.startswith("E_")
    return not coded or (outcome.stored_apart or 0) > 2


def _line(outcome: Outcome) -> str:
    def apart(by: str, value: float | None) -> str:
        return f"{by} {value:g}" if value is not None else "-"

    cells = (
        outcome.name,
        outcome.outcome,
        outcome.size,
        outcome.view,
        outcome.quality,
        outcome.done,
        f"stored: {apart(outcome.stored_by, outcome.stored_apart)}",
        f"shown: {apart(outcome.shown_by, outcome.shown_apart)}",
    )
    return "  ".join(cells if outcome.outcome == "film" else cells[:2])


if __name__ == "__main__":
    sys.exit(main())
