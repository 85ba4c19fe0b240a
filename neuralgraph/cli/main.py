"""The command ``ngr``: verbs, and errors as one line and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module

import typer

from neuralgraph import __version__
from neuralgraph.errors import MissingExtraError, ModelError, NeuralGraphError, OutputError

__all__ = ["app", "exit_code", "main"]

VERBS: tuple[str, ...] = (
    "demo",
    "compress",
    "convert",
    "info",
    "validate",
    "pack",
    "unpack",
    "diff",
    "export",
    "render",
    "migrate",
    "doctor",
    "conformance",
    "decode",
)
"""Verbs in the order of the help; each is a function of its name in the module of its name."""

app = typer.Typer(
    name="ngr",
    help="Medical studies as compact, trustworthy graphs: make, inspect and check .ngr files.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"neuralgraph {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Medical studies as compact, trustworthy graphs: make, inspect and check .ngr files."""


for _verb in VERBS:
    app.command(_verb)(getattr(import_module(f"neuralgraph.cli.{_verb}"), _verb))


def exit_code(error: NeuralGraphError) -> int:
    """The exit code an error ends a single-file verb with."""
    if isinstance(error, MissingExtraError | ModelError):
        return 4
    if isinstance(error, OutputError):
        return 2 if error.code == "E_OUTPUT" else 1
    return 3


def main() -> None:
    """Run the command line; never returns."""
    if not sys.warnoptions:
        # stderr is for our own lines; what libraries deprecate among themselves is nothing a user can act on.
        warnings.simplefilter("ignore")
    try:
        app()
    except NeuralGraphError as error:
        sys.stderr.write(f"ngr: {error}\n".replace("\n", " ").rstrip() + "\n")
        sys.exit(exit_code(error))
    except BrokenPipeError:
        # The reader of our output has gone, with all it wanted; exit must not fail on flushing to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
