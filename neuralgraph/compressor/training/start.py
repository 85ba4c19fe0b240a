"""What a training run begins with: a model that is there, or random weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model.tokenizer import ReportTokenizer

__all__ = ["Start", "changed_config", "fresh_start", "start_from"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """What training begins with: parts that belong together."""

    model: NeuralGraphModel
    tokenizer: ReportTokenizer
    preprocessor: Preprocessor
    source: str
    """What the record calls it: the digest of a model, or "fresh"."""


def start_from(directory: Path, *, name: str, labels: tuple[str, ...], seed: int = 0) -> Start:
    """Begin with a model that is there.

    Parameters
    ----------
    directory : of the model.
    name : of the new model.
    labels : findings of the new model. A head for other findings than the old one's begins at random.
    seed : of these random weights.

    Raises
    ------
    ModelError (E_MODEL) : the model is incomplete.
    """
    source = model_digest(directory)
    old = NeuralGraphModel.from_pretrained(directory)
    kept = labels or old.config.labels
    config = changed_config(old.config, name=name, labels=list(kept))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = NeuralGraphModel(config)
    weights = old.state_dict()
    if kept != old.config.labels:
        weights = {key: value for key, value in weights.items() if not key.startswith("classifier.")}
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    return Start(
        model=model,
        tokenizer=ReportTokenizer.read(directory),
        preprocessor=Preprocessor.read(directory),
        source=source,
    )


def fresh_start(
    config: NeuralGraphConfig, tokenizer: ReportTokenizer, preprocessor: Preprocessor, *, seed: int
) -> Start:
    """Begin with random weights.

    Parameters
    ----------
    config, tokenizer, preprocessor : of the new model.
    seed : of the weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = NeuralGraphModel(config)
    return Start(model=model, tokenizer=tokenizer, preprocessor=preprocessor, source="fresh")


def changed_config(config: NeuralGraphConfig, **changes: Any) -> NeuralGraphConfig:
    """A configuration with some fields changed, checked like any other."""
    values = {**config.to_dict(), **changes}
    values.pop("model_type")
    return NeuralGraphConfig(**values)
