"""Reports from stored studies: the decoder reads the kept patches of a file, no film is needed.

What the decoder attends to is projection(embedding) + position signal of the cell, and a study holds both: the
embedding, lossy as it may be stored, and row, column and grid. A study kept whole (retention 1) gives the decoder what
it saw when the film was compressed; a pruned one gives it the patches that are left.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from neuralgraph.compressor.model.files import model_digest, model_directory
from neuralgraph.compressor.model.inference import ready_for_inference
from neuralgraph.compressor.model.model import EncodedFilm, NeuralGraphModel
from neuralgraph.compressor.model.tokenizer import ReportTokenizer
from neuralgraph.compressor.model_scorer import DTYPES, usable_device
from neuralgraph.compressor.scorer import DEMO, DEMO_DIRECTORY
from neuralgraph.compressor.scoring import printable, until_end
from neuralgraph.errors import ModelError, StudyError
from neuralgraph.graph.study import Study

__all__ = ["BEAMS", "ReportWriter"]

BEAMS = 4
"""Width of the beam search."""


class ReportWriter:
    """Writes reports of studies with one model; deterministic.

    Parameters
    ----------
    model, tokenizer : parts that belong together. The model is made ready for inference in place.
    digest : of the files they came from, 64 hex digits.
    """

    def __init__(self, model: NeuralGraphModel, tokenizer: ReportTokenizer, *, digest: str) -> None:
        self._model = ready_for_inference(model)
        self._tokenizer = tokenizer
        self.digest = digest

    @classmethod
    def from_pretrained(
        cls,
        model: str | os.PathLike[str] = DEMO,
        *,
        device: str = "cpu",
        dtype: Literal["float32", "bfloat16", "float16"] = "float32",
    ) -> ReportWriter:
        """A writer around a model; parameters and errors as ``Compressor.from_pretrained``."""
        source = DEMO_DIRECTORY if model == DEMO else model if isinstance(model, str) else Path(model)
        directory = model_directory(source)
        return cls(
            NeuralGraphModel.from_pretrained(directory, device=usable_device(device), dtype=DTYPES[dtype]),
            ReportTokenizer.read(directory),
            digest=model_digest(directory),
        )

    @property
    def name(self) -> str:
        """What provenance calls the model."""
        return str(self._model.config.name)

    @property
    def trained(self) -> bool:
        """False for random weights, whose reports mean nothing."""
        return bool(self._model.config.trained)

    def __call__(self, study: Study, *, beams: int = BEAMS, limit: int | None = None, any_model: bool = False) -> str:
        """The report of a study, from its kept patches alone.

        The patches of several films are read together.

        Parameters
        ----------
        study : with at least one patch, made by this model.
        beams : width of the search; 1 is greedy.
        limit : most tokens to write; the model's own when None.
        any_model : accept embeddings of another model, or of one that the study does not name.

        Returns
        -------
        str, which an untrained or unlucky decoder may leave empty.

        Raises
        ------
        ModelError (E_MODEL) : the study was made by another model, or its embeddings do not fit this one.
        StudyError (E_STUDY) : the study has no patches.
        """
        return self.batch([study], beams=beams, limit=limit, any_model=any_model)[0]

    @torch.inference_mode()
    def batch(
        self, studies: Sequence[Study], *, beams: int = BEAMS, limit: int | None = None, any_model: bool = False
    ) -> list[str]:
        """The reports of several studies, in order; those with equally many patches are read together.

        A study read in company may lose a tie between two words that it wins alone: sums of other shapes round
        differently.

        Parameters
        ----------
        studies, beams, limit, any_model : as for one study; memory grows with studies x beams.

        Raises
        ------
        ModelError, StudyError : as for one study, for the first at fault.
        """
        groups: dict[int, list[int]] = {}
        for number, study in enumerate(studies):
            self._check(study, any_model=any_model)
            groups.setdefault(len(study.patches), []).append(number)
        end = self._model.config.text.eos_token_id
        texts = [""] * len(studies)
        for numbers in groups.values():
            memory = torch.cat([self._memory(studies[number]) for number in numbers])
            written = self._model.generate(EncodedFilm(memory, memory, 1, memory.shape[1]), beams=beams, limit=limit)
            for number, tokens in zip(numbers, written.tolist(), strict=True):
                texts[number] = printable(self._tokenizer.decode(until_end(tokens, end)))[0]
        return texts

    def _check(self, study: Study, *, any_model: bool) -> None:
        if not any_model:
            self._check_model(study)
        if not len(study.patches):
            raise StudyError("the study has no patches to write a report of", code="E_STUDY", where="patches")
        width, wanted = study.patches.embedding.shape[1], self._model.config.vision.dimension
        if width != wanted:
            raise ModelError(
                f"the study's embeddings are {width} wide, those of the model {wanted}; it is another model's study",
                code="E_MODEL",
                where="embedding",
            )

    def _memory(self, study: Study) -> torch.Tensor:
        """What the decoder attends to: [1, n, d_model], patches in the order of the study."""
        weight = self._model.position.linear.weight
        patches = study.patches
        embedding = torch.from_numpy(patches.embedding.copy()).to(device=weight.device, dtype=weight.dtype)
        memory: torch.Tensor = self._model.projection(embedding)
        for number, view in enumerate(study.views):
            mine = np.flatnonzero(patches.view == number)
            cells = torch.from_numpy(patches.row[mine].astype(np.int64) * view.cols + patches.col[mine])
            memory[torch.from_numpy(mine)] += self._model.position(view.rows, view.cols)[cells.to(weight.device)]
        return memory[None]

    def _check_model(self, study: Study) -> None:
        made_by = study.provenance.get("model", {}).get("digest")
        if not isinstance(made_by, str) or len(made_by) < _FEWEST_DIGITS:
            raise ModelError(
                "the study does not say which model made it; pass any_model (--any-model) to read it anyway",
                code="E_MODEL",
                where="provenance.model",
            )
        if not self.digest.startswith(made_by):
            raise ModelError(
                f"the study was made by model {made_by[:12]}, this is {self.digest[:12]}, to which it means nothing; "
                "give the model that made the study, or pass any_model (--any-model)",
                code="E_MODEL",
                where="provenance.model",
            )


_FEWEST_DIGITS = 16
"""Hex digits that tell models apart; studies keep more."""
