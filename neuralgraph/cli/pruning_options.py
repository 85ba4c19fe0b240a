"""Which patches survive, as the verbs ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

__all__ = ["PruningOptions", "policy_of_options"]


@dataclass(frozen=True)
class PruningOptions:
    """At most one of these is given."""

    PANEL: ClassVar[str] = "How studies are made"

    retain: Annotated[float | None, typer.Option(help="Share of the patches to keep [default: 0.023].")] = None
    top_k: Annotated[int | None, typer.Option(help="Number of patches to keep.")] = None
    threshold: Annotated[float | None, typer.Option(help="Keep patches that score above this.")] = None
    mass: Annotated[float | None, typer.Option(help="Keep the fewest patches that hold this share of attention.")] = (
        None
    )


def policy_of_options(options: PruningOptions) -> Any:
    """The pruning policy.

    Raises
    ------
    typer.BadParameter : two are given, or one is out of its range.
    """
    from neuralgraph.compressor.pruning import DEFAULT_POLICY, AbsoluteThreshold, AttentionMass, TopFraction, TopK
    from neuralgraph.errors import StudyError

    makers = {
        "--retain": (TopFraction, options.retain),
        "--top-k": (TopK, options.top_k),
        "--threshold": (AbsoluteThreshold, options.threshold),
        "--mass": (AttentionMass, options.mass),
    }
    given = {option: pair for option, pair in makers.items() if pair[1] is not None}
    if len(given) > 1:
        raise typer.BadParameter(f"give one of {', '.join(given)}")
    for option, (maker, value) in given.items():
        try:
            return maker(value)
        except StudyError as error:
            raise typer.BadParameter(error.message, param_hint=option) from error
    return DEFAULT_POLICY
