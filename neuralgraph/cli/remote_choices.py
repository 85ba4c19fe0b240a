"""What verbs that read URLs let the caller choose."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Timeout"]

Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0.001,
        help="For a URL: seconds that a request may take, and as many for each further MiB of it.  [default: 30]",
    ),
]
