"""A page that shows what would be kept of a film that is dropped on it. Needs gradio: pip install gradio

    python examples/preview_app.py

It serves this machine alone, asks nothing of any other, and keeps no film. Not for primary interpretation.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import neuralgraph as ng
from neuralgraph.compressor import Compressor, TopFraction
from neuralgraph.errors import NeuralGraphError
from neuralgraph.sources import read_film

NOTICE = "Not for primary interpretation: a .ngr is no image, and the demo model no diagnostic device."


@cache
def compressor() -> Compressor:
    """The demo model, loaded once."""
    return Compressor.from_pretrained("demo")


def preview(path: str, report: str, percent: float) -> tuple[Any, str]:
    """The film with what would be kept of it, a matplotlib Figure, and a line about it; no figure of a bad file."""
    try:
        film = read_film(path)
        study = replace(compressor(), policy=TopFraction(percent / 100))(film, report.strip() or None)
    except NeuralGraphError as error:
        return None, f"{error.code}: {error.message}"
    stored, source = len(ng.to_bytes(study)), Path(path).stat().st_size
    kept = f"{len(study.patches)} of {study.n_cells} patches"
    figure = Figure(figsize=(7, 7), layout="constrained")
    ng.plot(study, ax=figure.subplots(), image=film.pixels)
    return figure, f"{kept}; {stored:,} bytes, {stored / source:.1%} of the file. {NOTICE}"


def page() -> Any:
    """The page, not yet served."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before the import, which would ask for the newest version
    import gradio

    return gradio.Interface(
        preview,
        inputs=[
            gradio.File(label="film: DICOM, PNG or JPEG", type="filepath"),
            gradio.Textbox(label="report, if there is one", lines=4),
            gradio.Slider(1, 20, value=2.3, step=0.1, label="patches to keep, per cent"),
        ],
        outputs=[gradio.Plot(label="what would be kept"), gradio.Textbox(label="in numbers")],
        title="What a .ngr keeps of a film",
        description=NOTICE,
        flagging_mode="never",
        analytics_enabled=False,
    )


if __name__ == "__main__":
    sys.exit(page().launch(server_name="127.0.0.1", share=False))
