"""What verbs that speak to others let the caller choose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Certificates", "Timeout"]

Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0.001,
        help="For a URL: seconds that a request may take, and as many for each further MiB of it.  [default: 30]",
    ),
]

Certificates = Annotated[Path | None, typer.Option(help="Certificate authorities to trust.")]
