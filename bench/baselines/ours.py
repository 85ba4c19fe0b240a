"""A neuralgraph model on the same held-out films, for the same scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.compressor import Compressor
from neuralgraph.compressor.generation import ReportWriter
from neuralgraph.compressor.model.files import model_digest
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.pruning import TopFraction
from neuralgraph.compressor.training.examples import ExampleSet

__all__ = ["RETAINED", "facts", "head_scores", "written"]

RETAINED = 0.023


def facts(directory: Path) -> dict[str, Any]:
    """What is known of the model, and how many films it was shown at most, where its record says."""
    model = NeuralGraphModel.from_pretrained(directory)
    record = directory / "training.json"
    shown = None
    if record.is_file():
        recipe = json.loads(record.read_text(encoding="utf-8"))["recipe"]
        steps = recipe["steps"] * recipe.get("accumulation", 1) + recipe.get("first_steps", 0)
        shown = steps * recipe["batch_size"]
    return {
        "digest": model_digest(directory),
        "trained": bool(model.config.trained),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "films_shown": shown,
    }


def head_scores(directory: Path, films: ExampleSet, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Logits of the classification head, [films, names]; NaN for findings that the model does not know."""
    model, preprocessor = NeuralGraphModel.from_pretrained(directory), Preprocessor.read(directory)
    known = list(model.config.labels)
    rows = []
    with torch.inference_mode():
        for number in range(len(films)):
            logits = model(preprocessor(_film(films, number))[None]).class_logits[0].tolist()
            rows.append([logits[known.index(name)] if name in known else np.nan for name in names])
    return np.array(rows, np.float64)


def written(directory: Path, films: ExampleSet) -> dict[str, list[str]]:
    """Reports from all patches, and from those kept with the true report at hand; greedily, as all systems write."""
    compressor = Compressor.from_pretrained(directory, policy=TopFraction(1.0), report_graph="none")
    writer = ReportWriter.from_pretrained(directory)
    reports: dict[str, list[str]] = {"all patches": [], f"kept {RETAINED:.1%}": []}
    for number in range(len(films)):
        study = compressor(_film(films, number), films.report(number))
        for text, source in zip(reports.values(), (study, study.prune(retain=RETAINED)), strict=True):
            text.append(writer(source, beams=1))
    return reports


def _film(films: ExampleSet, number: int) -> NDArray[np.float32]:
    return np.divide(films[number].pixels, 65535, dtype=np.float32)
