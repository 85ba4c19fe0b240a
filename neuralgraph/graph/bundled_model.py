"""What the model that comes with the package learnt from; files outlive the model that made them."""

from __future__ import annotations

__all__ = ["bundled_notice", "bundled_words"]

_NAME = "demo"
_FORMER = "e57e2b86ee06"
"""How the digest of the model before begins, which had met no film of a person."""


def bundled_notice(name: str, digest: str) -> str:
    """What must be said of a study that the bundled model made; "" for every other model.

    Parameters
    ----------
    name : what provenance calls the model.
    digest : what provenance says of it, or how it begins; "" where that is not known.
    """
    if name != _NAME:
        return ""
    if digest.startswith(_FORMER):
        return (
            "the demo model learnt from SYNTHETIC films only: on real films, which patches it keeps, and any report it "
            "writes, carry no meaning"
        )
    return (
        "the demo model learnt from SYNTHETIC films and some hundred films of one hospital: no diagnostic device. It "
        "keeps what matters on some films, misses it on others, and any report it writes carries no meaning"
    )


def bundled_words(digest: str) -> str:
    """The same in a few words, for a caption."""
    if digest.startswith(_FORMER):
        return "demo model, learnt from synthetic films only"
    return "demo model, learnt from synthetic films and some hundred of one hospital"
