"""The name grammar of sections, extensions and provenance keys (FORMAT.md sections 6.2 and 12.2)."""

from __future__ import annotations

import re

__all__ = ["EXTENSION_NAME", "SECTION_NAME"]

EXTENSION_NAME = re.compile(r"x(\.[a-z0-9][a-z0-9-]{0,31}){2,6}\.[a-z][a-z0-9-]{0,31}", re.ASCII)
"""``x.<reverse-dns>.<name>``: at most 232 bytes, so that one byte holds the length."""

SECTION_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,31}}|{EXTENSION_NAME.pattern}", re.ASCII)
"""A name of the core, or that of an extension."""
