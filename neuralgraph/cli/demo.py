"""``ngr demo``: the whole path on a synthetic film, in one command."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from neuralgraph.cli.model_notice import tell_model
from neuralgraph.cli.output import write_line
from neuralgraph.errors import missing_extra
from neuralgraph.storage.archive import load
from neuralgraph.storage.atomic import atomic_file, make_folder
from neuralgraph.storage.save import save

__all__ = ["demo"]

SEED = 10
"""The phantom the demo shows."""
SIDE = 960
"""Height and width of its film, pixels; the demo model sees it at 256 and makes 16 x 16 patches of it."""
JPEG_QUALITIES = (95, 75, 10)


def demo(
    out: Annotated[Path, typer.Option(help="The folder to write to; made when absent.")] = Path("demo"),
) -> None:
    """Compress a synthetic chest film and its report, and load the result for PyTorch Geometric.

    Writes film.png, report.txt, demo.ngr and demo.png to the folder.

    Example: ngr demo --out demo
    """
    from neuralgraph.compressor import Compressor
    from neuralgraph.phantoms import phantom
    from neuralgraph.sources.films.film import film_from_array

    compressor = Compressor.from_pretrained("demo")
    make_folder(out)
    synthetic = phantom(SEED, height=SIDE, width=SIDE)
    film = film_from_array(synthetic.pixels, position=synthetic.view, facts={"format": "phantom", "bits_stored": 8})
    sizes = _write_film(film.pixels, out / "film.png")
    with atomic_file(out / "report.txt") as stream:
        stream.write(synthetic.report.encode())
    study = compressor(film, synthetic.report, labels=synthetic.labels, study_id="demo")
    save(study, out / "demo.ngr", embedding="bfloat16")
    write_line(f"{out / 'film.png'}: a synthetic chest film, {SIDE} x {SIDE} pixels, not a patient's")
    write_line(f"{out / 'report.txt'}: its report")
    _show(out, film.pixels, sizes, trained=compressor.scorer.trained)


def _write_film(pixels: np.ndarray[Any, Any], path: Path) -> dict[str, int]:
    """Write the film as PNG; its bytes in the formats films are kept in today."""
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra("the demo", extra="all", library="pillow") from error
    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    stream = BytesIO()
    image.save(stream, "PNG", optimize=True)
    with atomic_file(path) as file:
        file.write(stream.getvalue())
    sizes = {"PNG": stream.tell()}
    for quality in JPEG_QUALITIES:
        stream = BytesIO()
        image.save(stream, "JPEG", quality=quality)
        sizes[f"JPEG quality {quality}"] = stream.tell()
    return sizes


def _show(out: Path, pixels: np.ndarray[Any, Any], sizes: dict[str, int], *, trained: bool) -> None:
    from neuralgraph.adapters.picture import save_picture
    from neuralgraph.adapters.pyg import to_data

    path = out / "demo.ngr"
    study, size = load(path), path.stat().st_size
    save_picture(study, out / "demo.png", image=pixels, sizes={"this .ngr": size, **sizes})
    write_line(
        f"{path}: {len(study.patches)} of {study.n_cells} patches, {len(study.concepts)} concepts, {size:,} bytes"
    )
    write_line(f"{out / 'demo.png'}: a picture of it")
    write_line(f"PyTorch Geometric: {to_data(study)}")
    write_line("the same film in bytes:")
    for name, other in sizes.items():
        write_line(f"  {name:16} {other:>9,}   the .ngr has {size / other:.1%} of it")
    write_line("a .ngr is no image: the film cannot be shown from it, keep the original")
    tell_model("demo", trained=trained)
