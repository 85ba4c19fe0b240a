"""What must be said of a model wherever its results are shown."""

from __future__ import annotations

from neuralgraph.cli.output import note
from neuralgraph.graph.origin import bundled_notice

__all__ = ["model_notice", "tell_model"]


def model_notice(name: str, *, trained: bool) -> str:
    """One sentence, or "" when there is nothing to say.

    Parameters
    ----------
    name : what provenance calls the model.
    trained : False for random weights.
    """
    if not trained:
        return f"the model {name} is UNTRAINED: which patches it keeps, and any report it writes, carry no meaning"
    return bundled_notice(name)


def tell_model(name: str, *, trained: bool) -> None:
    """Say it to the person at the terminal."""
    if sentence := model_notice(name, trained=trained):
        note(sentence)
