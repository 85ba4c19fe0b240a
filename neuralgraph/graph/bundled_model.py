"""What must be said of the model that comes with the package, wherever what it made is shown."""

from __future__ import annotations

__all__ = ["BUNDLED_WORDS", "bundled_notice"]

_NAME = "demo"
BUNDLED_WORDS = "demo model, learnt from synthetic films and some hundred of one hospital"
"""For a caption."""
_NOTICE = (
    "the demo model learnt from SYNTHETIC films and some hundred films of one hospital: no diagnostic device. It keeps "
    "what matters on some films, misses it on others, and any report it writes carries no meaning"
)


def bundled_notice(name: str) -> str:
    """What must be said of a study that the bundled model made; "" for every other model.

    ``name`` is what provenance calls the model.
    """
    return _NOTICE if name == _NAME else ""
