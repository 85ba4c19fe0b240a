"""How studies are converted: one value for a whole destination, sent to every worker and kept with the receipts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from neuralgraph.compressor.pruning import AbsoluteThreshold, AttentionMass, PruningPolicy, TopFraction, TopK
from neuralgraph.compressor.report_graph.sections import SectionChoice
from neuralgraph.errors import OutputError

__all__ = ["BurnedIn", "ConversionSettings", "policy_of"]

BurnedIn = Literal["refuse", "strict", "accept"]
"""Policies for text burned into pixels."""

_POLICIES: dict[str, type[TopFraction] | type[TopK] | type[AbsoluteThreshold] | type[AttentionMass]] = {
    "fraction": TopFraction,
    "top_k": TopK,
    "threshold": AbsoluteThreshold,
    "mass": AttentionMass,
}


@dataclass(frozen=True)
class ConversionSettings:
    """Everything that decides what the bytes of a study are, besides its film, report and labels."""

    model: str = "demo"
    """"demo", or the folder of a model."""
    policy: str = "fraction"
    amount: float = 0.023
    """Which patches survive, a key of the policies and its value; "fraction" and 0.023 by default."""
    extractor: str = "rules"
    """How the report is read, "rules", "radgraph" (the package) or "none"; "radgraph-json" takes the graphs that come
    with the source."""
    sections: SectionChoice = "findings+impression"
    """Which part of the report counts."""
    embedding: str = "bfloat16"
    """How embeddings are stored."""
    store_report: bool = False
    store_pixels: bool = False
    """Keep the text, the patches as images."""
    generated_graph: bool = False
    """Keep the concepts of the model's own text where there is no report."""
    max_side: int = 0
    """Longest side in pixels that films are reduced to; 0 is the model's own."""
    device: str = "cpu"
    """Where the model runs."""
    burned_in: BurnedIn = "refuse"
    """Which films with identifying text burned into their pixels are taken: "refuse" those that say so, "strict" also
    those that do not say that they have none, "accept" any."""
    memory_mib: int = 2048
    """Memory that reading one film may take; 0 sets no bound."""

    @property
    def record(self) -> dict[str, Any]:
        """The settings as plain data, without those that decide which films are read and where, not what is made of
        them. The folder of the model is not among them: its digest says which model it was.
        """
        record = asdict(self)
        for name in ("model", "device", "burned_in", "memory_mib"):
            del record[name]
        if not self.max_side:
            # Folders from before there was a choice have no such member.
            del record["max_side"]
        return record

    @classmethod
    def read(cls, record: dict[str, Any]) -> ConversionSettings:
        """Settings of plain data, as ``dataclasses.asdict`` gives it."""
        return cls(**record)


def policy_of(settings: ConversionSettings) -> PruningPolicy:
    """The pruning policy.

    Raises
    ------
    OutputError (E_OUTPUT) : there is no such policy.
    StudyError (E_NUM) : the amount is out of its range.
    """
    if settings.policy not in _POLICIES:
        raise OutputError(
            f"{settings.policy!r} is not a policy; use one of {', '.join(_POLICIES)}", code="E_OUTPUT", where="policy"
        )
    if settings.policy == "top_k":
        return TopK(int(settings.amount))
    return _POLICIES[settings.policy](settings.amount)  # type: ignore[arg-type]  # only TopK wants an integer
