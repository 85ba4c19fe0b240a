"""A scorer over a NeuralGraphModel, its tokenizer and its preprocessing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neuralgraph.compressor.attention import check_attention, chosen_layers, sum_over_tokens
from neuralgraph.compressor.model.files import model_digest, model_directory
from neuralgraph.compressor.model.inference import ready_for_inference
from neuralgraph.compressor.model.mean_attention import read_mean_attention
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.model.preprocess import Preprocessor, check_film
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.score_rules import Scoring
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.compressor.scoring import score_reports
from neuralgraph.errors import ModelError

__all__ = ["DTYPES", "ModelScorer", "usable_device"]

DTYPES: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class ModelScorer:
    """The scorer that ``load_scorer`` returns; see there and ``Scorer``.

    Parameters
    ----------
    model, tokenizer, preprocessor : parts that belong together. The model is made ready for inference in place; it can
        still be saved and trained.
    digest : of the files they came from.
    scoring : which attention becomes a score, and how; None is the paper's.
    batch_size : films of one size that go through together.

    Raises
    ------
    ModelError (E_MODEL) : the parts do not fit.
    ModelError (E_MODEL_ATTENTION) : the attention is not usable.
    """

    def __init__(
        self,
        model: NeuralGraphModel,
        tokenizer: ReportTokenizer,
        preprocessor: Preprocessor,
        *,
        digest: str,
        scoring: Scoring | None = None,
        batch_size: int = 1,
    ) -> None:
        scoring = scoring or Scoring()
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ModelError("batch_size must be a whole number of at least 1", code="E_MODEL", where="batch_size")
        if preprocessor.stride != model.config.vision.stride or preprocessor.channels != model.config.vision.channels:
            raise ModelError(
                "preprocessor_config.json and config.json are of different models", code="E_MODEL", where="model"
            )
        if tokenizer.vocabulary > model.config.text.vocab_size:
            raise ModelError("tokenizer.json and config.json are of different models", code="E_MODEL", where="model")
        scoring.check()
        chosen_layers(model, scoring.layer)
        sum_over_tokens(torch.ones(1, 1, 1, 1), torch.ones(1, 1, dtype=torch.bool), heads=scoring.heads)
        self._model = ready_for_inference(model)
        self._tokenizer = tokenizer
        self._preprocessor = preprocessor
        self._scoring = scoring
        self._batch_size = batch_size
        self.digest = digest
        check_attention(self._model)

    @property
    def name(self) -> str:
        """What provenance calls the model."""
        return str(self._model.config.name)

    @property
    def trained(self) -> bool:
        """False for random weights."""
        return bool(self._model.config.trained)

    @property
    def record(self) -> dict[str, Any]:
        """The method, for provenance."""
        return {
            "model": self.name,
            "digest": self.digest,
            "trained": self.trained,
            "layer": self._scoring.layer,
            "heads": self._scoring.heads,
            "dtype": str(self._model.position.linear.weight.dtype).removeprefix("torch."),
        }

    @torch.inference_mode()
    def __call__(
        self, films: Sequence[NDArray[np.floating[Any]]], reports: Sequence[str | None], *, words: bool = False
    ) -> list[ScoredFilm]:
        """Score films against reports.

        Parameters
        ----------
        films : float32 [H, W] each, 0 (air) to 1 (bone), any sizes.
        reports : as many; None or blank lets the decoder write one.
        words : give the maps of the words too.

        Returns
        -------
        One ``ScoredFilm`` per film, in order.

        Raises
        ------
        LimitError (E_LIMIT) : a report is too long.
        SourceError (E_SOURCE_KIND, E_SOURCE_SIZE, E_NUM) : a film is none that a model takes.
        SourceError (E_SOURCE_TEXT) : a report is not text.
        ModelError (E_MODEL_ATTENTION) : the attention is not usable.
        ValueError : when there are not as many reports as films.
        """
        if len(films) != len(reports):
            raise ValueError(f"{len(films)} films, but {len(reports)} reports")
        scored: dict[int, ScoredFilm] = {}
        for numbers in self._batches(films):
            inputs = torch.stack([self._preprocessor.of_checked(films[number]) for number in numbers])
            weight = self._model.position.linear.weight
            encoded = self._model.encode(inputs.to(device=weight.device, dtype=weight.dtype))
            found = score_reports(
                self._model,
                self._tokenizer,
                encoded,
                [reports[number] for number in numbers],
                scoring=self._scoring,
                words=words,
            )
            for number, embedding, result in zip(numbers, encoded.embedding, found, strict=True):
                place = self._preprocessor.geometry(*films[number].shape)
                scored[number] = ScoredFilm(
                    embedding=embedding.float().cpu().numpy(),
                    score=result.score,
                    rows=place.rows,
                    cols=place.cols,
                    patch_height=place.patch_height,
                    patch_width=place.patch_width,
                    text=result.text,
                    generated=result.generated,
                    tokens=result.tokens,
                    rule=result.rule,
                    words=result.words,
                )
        return [scored[number] for number in range(len(films))]

    def _batches(self, films: Sequence[NDArray[np.floating[Any]]]) -> Iterator[list[int]]:
        """Numbers of films that share one grid, so that no film is padded to another's size."""
        by_grid: dict[tuple[int, int], list[int]] = {}
        for number, film in enumerate(films):
            check_film(film)
            place = self._preprocessor.geometry(*film.shape)
            by_grid.setdefault((place.rows, place.cols), []).append(number)
        for numbers in by_grid.values():
            for start in range(0, len(numbers), self._batch_size):
                yield numbers[start : start + self._batch_size]

    @classmethod
    def load(
        cls,
        source: str | Path,
        *,
        scoring: Scoring | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        batch_size: int = 1,
        max_side: int | None = None,
    ) -> ModelScorer:
        """Load the parts from one directory; arguments and errors as ``load_scorer``."""
        if dtype not in DTYPES:
            raise ModelError(f"dtype must be one of {', '.join(DTYPES)}, not {dtype!r}", code="E_MODEL", where="dtype")
        directory = model_directory(source)
        preprocessor = Preprocessor.read(directory)
        return cls(
            NeuralGraphModel.from_pretrained(directory, device=usable_device(device), dtype=DTYPES[dtype]),
            ReportTokenizer.read(directory),
            preprocessor if max_side is None else replace(preprocessor, max_side=max_side),
            digest=model_digest(directory),
            scoring=replace(scoring or Scoring(), mean_attention=read_mean_attention(directory)),
            batch_size=batch_size,
        )


def usable_device(name: str) -> torch.device:
    """The device of that name.

    Raises
    ------
    ModelError (E_MODEL) : torch does not know it, or it is not here.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ModelError(f"{name!r} is not a device torch knows", code="E_MODEL", where="device") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ModelError("no CUDA device is available here; use the device cpu", code="E_MODEL", where="device")
    return device
