"""Text for outputs that people look at: characters that would move a terminal's cursor or turn the direction of text
are escaped, in the way the output's own language has for it, so that programs read what they read before.
"""

from __future__ import annotations

import json
from typing import Any

from neuralgraph.errors import CONTROLS

__all__ = ["escaped_json", "escaped_xml"]


def escaped_json(value: Any, **options: Any) -> str:
    """``value`` as JSON in which only line breaks and spaces of the layout are control characters.

    Parameters
    ----------
    value, options : as for ``json.dumps``; characters beyond ASCII stay as they are.
    """
    text = json.dumps(value, ensure_ascii=False, **options)
    # Line breaks and tabs inside strings have been escaped already; what is left of them is layout.
    return CONTROLS.sub(lambda found: found[0] if found[0] in "\n\t" else f"\\u{ord(found[0]):04x}", text)


def escaped_xml(text: str) -> str:
    """An XML document whose texts have no control characters that XML 1.0 does not need: references stand for them."""
    return CONTROLS.sub(lambda found: found[0] if found[0] in "\n\r\t" else f"&#x{ord(found[0]):x};", text)
