"""What verbs print: text, or JSON in one stable form."""

from __future__ import annotations

import sys
from typing import Any

from neuralgraph.errors import printable
from neuralgraph.wire.escapes import escaped_json

__all__ = ["note", "printable", "write_document", "write_json", "write_line"]


def write_line(text: str) -> None:
    """One line of result on stdout."""
    sys.stdout.write(printable(text) + "\n")


def write_document(text: str) -> None:
    """A result of several lines on stdout."""
    sys.stdout.write(text + "\n")


def write_json(value: Any) -> None:
    """A result as JSON on stdout, keys in the order given; characters that control a terminal are escaped in it."""
    sys.stdout.write(escaped_json(value, indent=2) + "\n")


def note(text: str) -> None:
    """One line for the person at the terminal, on stderr."""
    sys.stderr.write(f"ngr: {printable(text)}\n")
