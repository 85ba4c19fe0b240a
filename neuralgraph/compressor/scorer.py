"""What the compressor needs of a model: films and reports in, patch embeddings and scores out."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from neuralgraph.compressor.score_rules import Scoring
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.errors import missing_extra

__all__ = ["DEMO", "DEMO_DIRECTORY", "ScoredFilm", "Scorer", "load_scorer", "require_model_libraries"]

DEMO = "demo"
"""Names the model that comes with the package."""
DEMO_DIRECTORY = Path(__file__).parent / "demo"
"""Where it is."""


class Scorer(Protocol):
    """Anything that scores patches; ``load_scorer`` gives one."""

    @property
    def name(self) -> str:
        """What provenance calls the model."""

    @property
    def digest(self) -> str:
        """SHA-256, 64 hex digits, over configuration, weights, preprocessing and tokenizer; the same anywhere."""

    @property
    def trained(self) -> bool:
        """False for random weights, whose scores mean nothing: say "untrained" wherever results are shown."""

    @property
    def record(self) -> dict[str, Any]:
        """The method, for provenance: model, digest, trained, layer, heads, dtype."""

    def __call__(
        self, films: Sequence[NDArray[np.floating[Any]]], reports: Sequence[str | None], *, words: bool = False
    ) -> list[ScoredFilm]:
        """Score films (float32 [H, W], 0 to 1, bones bright) against reports; one result per film, in order.

        With ``words`` the results hold the attention of every word too.
        """


def load_scorer(
    source: str | Path = DEMO,
    *,
    scoring: Scoring | None = None,
    device: str = "cpu",
    dtype: Literal["float32", "bfloat16", "float16"] = "float32",
    batch_size: int = 1,
    max_side: int | None = None,
) -> Scorer:
    """Load a model and check that its attention can be used.

    Parameters
    ----------
    source : "demo"; a directory with config.json, model.safetensors, preprocessor_config.json and tokenizer.json; or,
        as text that names no directory, ``owner/name`` of such a model on the Hugging Face hub, which is asked unless
        it is cached or HF_HUB_OFFLINE=1 is set.
    scoring : which attention becomes a score, and how; None is the paper's sum. The mean map of a rule "contrast" is
        read from the directory.
    device : where it runs, as torch names it.
    dtype : the precision it runs in.
    batch_size : films of one size that go through the model together. With 1 a film's result never depends on the other
        films; with more it may differ in the last bits (1e-5).
    max_side : longest side in pixels that films are reduced to, instead of the one in preprocessor_config.json; a
        longer one gives a finer grid of patches of the same size, and takes longer.

    Raises
    ------
    MissingExtraError (E_EXTRA) : the libraries of the extra "vlm" are not installed.
    ModelError (E_MODEL) : the model is incomplete.
    ModelError (E_MODEL_ATTENTION) : its attention is not usable.
    """
    require_model_libraries()
    from neuralgraph.compressor.model_scorer import ModelScorer

    return ModelScorer.load(
        DEMO_DIRECTORY if source == DEMO else source,
        scoring=scoring,
        device=device,
        dtype=dtype,
        batch_size=batch_size,
        max_side=max_side,
    )


def require_model_libraries() -> None:
    """Refuse to go on where the libraries of the extra "vlm" are not installed.

    Raises
    ------
    MissingExtraError (E_EXTRA) : naming the first that is missing.
    """
    for library in ("torch", "timm", "transformers", "tokenizers", "safetensors"):
        if importlib.util.find_spec(library) is None:
            raise missing_extra("reading films with a vision-language model", extra="vlm", library=library)
