"""What storing costs a study: the chosen form, and the loss put on record (FORMAT.md section 7.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuralgraph.codecs.forms import Buffer, Encoder, Form, Matrix
from neuralgraph.codecs.loss import channel_deviation, rounded_cosine_error, rounded_rmse, three_digits
from neuralgraph.codecs.registry import FORMS
from neuralgraph.codecs.svd import SVD, Svd
from neuralgraph.errors import StudyError
from neuralgraph.graph.study import Study

__all__ = ["EXACT", "embedding_forms", "form_named", "measured_loss", "prepared"]

EXACT = "exact"
"""The value of ``embedding=`` that chooses the smallest form without loss."""


def embedding_forms() -> tuple[str, ...]:
    """Values of ``embedding=``; "svd" may be followed by a loss, as in "svd:0.06"."""
    return EXACT, *FORMS


def form_named(name: str) -> Form | None:
    """The form of this name; None for ``EXACT``, which depends on the values.

    Raises
    ------
    StudyError (E_FILTER) : no form has this name, or it takes no such loss.
    """
    plain, separator, amount = name.partition(":")
    if name == EXACT:
        return None
    if plain == SVD.name and separator:
        try:
            return Svd(float(amount))
        except ValueError as error:
            reason = f"{amount!r} is not a loss; write for example svd:0.06"
            raise StudyError(reason, code="E_FILTER", where="embedding") from error
    if name not in FORMS:
        known = ", ".join(embedding_forms())
        reason = f"{name!r} is not an embedding form; use one of {known} or svd:LOSS"
        raise StudyError(reason, code="E_FILTER", where="embedding")
    return FORMS[name].form


@dataclass(frozen=True)
class _Written:
    """A form whose planes have been made already: searching for them takes time."""

    name: str
    planes: tuple[bytes, ...]
    decoded: Matrix

    def encode(self, matrix: Matrix) -> tuple[bytes, ...]:
        del matrix
        return self.planes

    def decode(self, planes: Sequence[Buffer], rows: int, width: int, *, where: str) -> Matrix:
        del planes, rows, width, where
        return self.decoded


def prepared(study: Study, form: Form) -> tuple[Study, Encoder]:
    """The study with what ``form`` loses on record in its provenance, and what writes its embedding.

    Raises
    ------
    StudyError (E_NUM) : a value is outside the range of the form.
    """
    matrix = study.patches.embedding
    planes = form.encode(matrix)
    decoded = form.decode(planes, *matrix.shape, where="embedding")
    written = _Written(form.name, planes, decoded)
    if decoded.tobytes() == matrix.tobytes():
        return study, written
    loss = {"form": form.name, "bound": float(form.bound(matrix)), **measured_loss(matrix, decoded)}
    earlier = study.provenance.get("loss", ())
    return replace(study, provenance={**study.provenance, "loss": [*earlier, loss]}), written


def measured_loss(matrix: Matrix, decoded: Matrix) -> dict[str, Any]:
    """``largest``, ``rmse`` and ``cosine`` of FORMAT.md section 7.4, each to three significant digits."""
    largest = np.abs(decoded.astype(np.float64) - matrix.astype(np.float64)).max(initial=0)
    return {
        "largest": three_digits(float(largest)),
        "rmse": rounded_rmse(matrix, decoded, channel_deviation(matrix)),
        "cosine": rounded_cosine_error(matrix, decoded),
    }
