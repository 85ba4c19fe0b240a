"""The command ``ngr``: verbs, and errors as one line and an exit code."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import cast

import typer

from neuralgraph import __version__
from neuralgraph.cli.output import note
from neuralgraph.errors import CollectionError, MissingExtraError, ModelError, NeuralGraphError, OutputError

__all__ = ["application", "exit_code", "main"]

VERBS: tuple[str, ...] = (
    "demo",
    "compress",
    "convert",
    "info",
    "validate",
    "pack",
    "unpack",
    "collection",
    "catalog",
    "find",
    "serve",
    "card",
    "diff",
    "export",
    "render",
    "generate",
    "assemble",
    "view",
    "train",
    "migrate",
    "recover",
    "evaluate",
    "bench",
    "audit",
    "pull",
    "listen",
    "push",
    "doctor",
    "conformance",
    "decode",
)
"""Verbs in the order of the help; each is a function of its name in the module of its name, or a group of verbs."""


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"neuralgraph {__version__}\n")
        raise typer.Exit


def options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Medical studies as compact, trustworthy graphs: make, inspect and check .ngr files."""


def application(verbs: Sequence[str] = VERBS) -> typer.Typer:
    """The command line with these verbs; only their modules are imported."""
    app = typer.Typer(
        name="ngr",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        # In this one brackets of a help text are text, not commands of markup, and lines are filled.
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    for verb in verbs:
        found = getattr(import_module(f"neuralgraph.cli.{verb}"), verb)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=verb)
        else:
            app.command(verb)(found)
    return app


def _asked(arguments: Sequence[str]) -> Sequence[str]:
    """The verb of a command line that begins with one: validating need not wait for the verbs of the model."""
    return arguments[:1] if arguments and arguments[0] in VERBS else VERBS


def exit_code(error: NeuralGraphError) -> int:
    """The exit code an error ends a single-file verb with."""
    if isinstance(error, MissingExtraError | ModelError):
        return 4
    if error.code == "E_QUERY":
        return 2
    if isinstance(error, CollectionError):
        return 1
    if isinstance(error, OutputError):
        return 2 if error.code == "E_OUTPUT" else 1
    return 3


def main() -> None:
    """Run the command line; never returns."""
    if not sys.warnoptions:
        # stderr is for our own lines; what libraries deprecate among themselves is nothing a user can act on.
        warnings.simplefilter("ignore")
    for stream in (sys.stdout, sys.stderr):
        # Documents we print say UTF-8; names of files may be bytes that are none.
        cast(TextIOWrapper, stream).reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = _run()
        sys.stdout.flush()
    except NeuralGraphError as error:
        note(str(error))
        code = exit_code(error)
    except BrokenPipeError:
        code = 0
    except OSError as error:
        note(f"E_WRITE: the result cannot be printed ({error.strerror})")
        code = 1
    try:
        sys.stdout.flush()
    except OSError:
        # What could not be printed must not be tried again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run() -> int:
    """Exit code of the verb, its errors passed on."""
    try:
        application(_asked(sys.argv[1:]))()
    except SystemExit as leaving:
        if isinstance(leaving.__context__, BrokenPipeError):
            # Typer's exit; the reader of our output has gone, with all it wanted.
            return 0
        return leaving.code if isinstance(leaving.code, int) else 0
    return 0
