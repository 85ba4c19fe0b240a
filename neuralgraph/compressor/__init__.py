"""Film and report to study.

``Compressor`` joins the parts: ``scorer`` (the model's attention), ``pruning`` (which patches survive),
``report_graph`` (what the report says) and ``fusion`` (the edge between the two).
"""

from neuralgraph.compressor.compressor import Compressor
from neuralgraph.compressor.pruning import AbsoluteThreshold, AttentionMass, TopFraction, TopK

__all__ = ["AbsoluteThreshold", "AttentionMass", "Compressor", "TopFraction", "TopK"]
