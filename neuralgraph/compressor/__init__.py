"""Film and report to study.

``Compressor`` joins the parts: ``scorer`` (the model's attention), ``pruning`` (which patches survive),
``report_graph`` (what the report says) and ``fusion`` (the edge between the two).

- ``attention``: cross-attention of the report decoder, one layer at a time and summed as it is computed
- ``attention_gradient``: attention times its gradient, for the rule "gradient"
- ``compressor``: film and report to study, one step after another
- ``encoder_decoder``: any ``VisionEncoderDecoderModel`` of transformers as a scorer, so that a report generator of
  one's own can prune
- ``fusion``: the fusion edge of large graphs, by rustworkx
- ``generation``: reports from stored studies: the decoder reads the kept patches of a file, no film is needed
- ``model``: the vision-language model
- ``model_scorer``: a scorer over a NeuralGraphModel, its tokenizer and its preprocessing
- ``pruning``: which patches survive: four policies over one score per patch
- ``report_graph``: report text to knowledge graph
- ``score_rules``: how attention becomes a score: the paper's sum, and three rules beside it
- ``scored_film``: one film after the model
- ``scorer``: what the compressor needs of a model: films and reports in, patch embeddings and scores out
- ``scoring``: one score per patch: how much the decoder looks at it while it writes the report
- ``training``: films and reports in, a model directory out (safetensors and JSON only)
"""

from neuralgraph.compressor.compressor import Compressor
from neuralgraph.compressor.pruning import AbsoluteThreshold, AttentionMass, TopFraction, TopK

__all__ = ["AbsoluteThreshold", "AttentionMass", "Compressor", "TopFraction", "TopK"]
