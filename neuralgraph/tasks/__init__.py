"""What studies are for: downstream models, their training, and scores that can be compared.

``splits`` says which study is trained on and which is tested; ``graphs`` makes graphs of them at a retention, with or
without the report; ``models`` holds the networks; ``training`` fits one; ``binary_scores`` scores;
``evaluation`` joins them.
"""

from __future__ import annotations

from neuralgraph.tasks.binary_scores import Auc, Calibration, Comparison, auc, calibration, compare_auc
from neuralgraph.tasks.curves import Reliability, RocCurve, reliability, roc_curve
from neuralgraph.tasks.evaluation import System, evaluate
from neuralgraph.tasks.graphs import GraphSettings, Standardise, study_graph
from neuralgraph.tasks.models import MPNN, HeteroMPNN
from neuralgraph.tasks.splits import SPLITS, Split, read_splits, split_by_hash, with_prevalence
from neuralgraph.tasks.training import TrainingSettings, fit, predict

__all__ = [
    "MPNN",
    "SPLITS",
    "Auc",
    "Calibration",
    "Comparison",
    "GraphSettings",
    "HeteroMPNN",
    "Reliability",
    "RocCurve",
    "Split",
    "Standardise",
    "System",
    "TrainingSettings",
    "auc",
    "calibration",
    "compare_auc",
    "evaluate",
    "fit",
    "predict",
    "read_splits",
    "reliability",
    "roc_curve",
    "split_by_hash",
    "study_graph",
    "with_prevalence",
]
