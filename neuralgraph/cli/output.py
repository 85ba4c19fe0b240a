"""What verbs print: text, or JSON in one stable form."""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["note", "write_json", "write_line"]


def write_line(text: str) -> None:
    """One line of result on stdout."""
    sys.stdout.write(text + "\n")


def write_json(value: Any) -> None:
    """A result as JSON on stdout, keys in the order given."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def note(text: str) -> None:
    """One line for the person at the terminal, on stderr."""
    sys.stderr.write(f"ngr: {text}\n")
