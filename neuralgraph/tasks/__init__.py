"""What studies are for: downstream models, their training, and scores that can be compared.

- ``binary_scores``: scores of binary predictions
- ``curves``: curves behind the scores: ROC and calibration, with intervals, as numbers and as a picture
- ``evaluation``: train and score systems on the same split
- ``graphs``: graphs for a task: a study at a retention, with or without what its report says
- ``models``: networks over fused graphs
- ``splits``: which study is for training, which for validation, which for testing
- ``training``: fit a graph network and predict with it
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
