"""The name grammar of sections, extensions and provenance keys (FORMAT.md sections 6.2 and 12.2)."""

from __future__ import annotations

import re

__all__ = ["EXTENSION_PATTERN", "MAX_NAME_BYTES", "is_extension_name", "is_section_name"]

EXTENSION_PATTERN = r"x(\.[a-z0-9][a-z0-9-]*){3,}"
"""``x.<reverse-dns>.<name>``; the whole name matches."""

_EXTENSION = re.compile(EXTENSION_PATTERN, re.ASCII)
_SECTION = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)

MAX_NAME_BYTES = 255
"""Longest name: what one byte can count."""


def is_extension_name(name: str) -> bool:
    """Whether ``name`` is ``x.<reverse-dns>.<name>``."""
    return len(name) <= MAX_NAME_BYTES and _EXTENSION.fullmatch(name) is not None


def is_section_name(name: str) -> bool:
    """Whether ``name`` is a name of the core or that of an extension."""
    return _SECTION.fullmatch(name) is not None or is_extension_name(name)
