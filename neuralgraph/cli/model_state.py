"""What is known of a model without loading it: its files, and what its training measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from neuralgraph.cli.model_notice import model_notice
from neuralgraph.errors import ModelError

__all__ = ["ModelState", "is_model", "model_state", "model_words"]


def is_model(path: str) -> bool:
    """Whether a path is the folder of a model."""
    return all((Path(path) / name).is_file() for name in ("config.json", "model.safetensors"))


class ModelState(NamedTuple):
    """What is known of a model without loading it."""

    source: str
    name: str
    digest: str
    """64 hex digits; "" when it cannot be used."""
    trained: bool
    fault: str | None
    """Why it cannot be used, and what to do."""
    verdict: dict[str, Any]
    """What its training measured before and after; empty where that is not known."""
    lines: list[str]
    """The same in words."""


def model_state(source: str) -> ModelState:
    """The files of a model; its weights are hashed, not loaded, and nothing is downloaded."""
    from neuralgraph.compressor.model.files import model_digest, model_directory, model_name
    from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY
    from neuralgraph.compressor.training.verdict import read_verdict, verdict_lines

    try:
        directory = model_directory(DEMO_DIRECTORY if source == DEMO else Path(source))
        name, trained = model_name(directory)
        verdict = read_verdict(directory)
        return ModelState(
            source, name, model_digest(directory), trained, None, verdict, verdict_lines(verdict) if verdict else []
        )
    except ModelError as error:
        return ModelState(source, "", "", trained=False, fault=error.message, verdict={}, lines=[])
    except (OSError, ValueError) as error:
        return ModelState(
            source, "", "", trained=False, fault=f"its files cannot be read ({error})", verdict={}, lines=[]
        )


def model_words(model: ModelState) -> str:
    """What must be said of a model, and whether anybody measured what its training gave."""
    notice = model_notice(model.name, trained=model.trained)
    if not model.trained:
        return notice
    steps = model.verdict.get("steps")
    trained = (
        f"trained in {steps:,} updates, measured on its own validation films"
        if steps
        else "trained, what that gave is not known"
    )
    return f"{trained}; {notice}" if notice else trained
