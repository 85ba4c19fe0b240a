"""What verbs print: text, or JSON in one stable form."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

__all__ = ["note", "printable", "write_document", "write_json", "write_line"]


# Control characters, and those that turn the direction of text: what a file holds must not move the cursor.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """``text`` as one line that a terminal shows as it is."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def write_line(text: str) -> None:
    """One line of result on stdout."""
    sys.stdout.write(printable(text) + "\n")


def write_document(text: str) -> None:
    """A result of several lines on stdout."""
    sys.stdout.write(text + "\n")


def write_json(value: Any) -> None:
    """A result as JSON on stdout, keys in the order given."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def note(text: str) -> None:
    """One line for the person at the terminal, on stderr."""
    sys.stderr.write(f"ngr: {printable(text)}\n")
