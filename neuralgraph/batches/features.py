"""Concepts as vectors, without a model: words and their pieces hashed to fixed places.

The recipe ``hash-1`` never changes; a better one gets another name. A vector of ``width`` values is

- places 0 to 5: the label, as the two or three of Anatomy, Observation, measurement, present, uncertain, absent that
  hold, each 1, scaled to length 1/sqrt(2);
- the other ``width - 6`` places: the text, scaled to length 1/sqrt(2).

The text in lower case (ASCII letters only) is cut into words: runs of ASCII letters, digits and characters outside
ASCII. A text without a word is one word as it stands. Each word adds 2 as itself ("w" before it), and 1 for every run
of 3, 4 or 5 characters of it between "<" and ">" ("g" before the run). Where: the first 8 bytes of the BLAKE2b digest
(digest size 8, personalisation ``ngr hash-1``) of its UTF-8 bytes, read as a little-endian integer h, choose the
place 6 + (h mod 2^63) mod (width - 6); the number is added when h < 2^63 and subtracted otherwise. Should all of the
text cancel out, the label has length 1.

All sums are of small integers and the only rounded steps are square roots and divisions that IEEE 754 fixes, so equal
concepts have equal vectors to the last bit on every machine. Signed hashing after Weinberger et al. 2009.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import StudyError
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.study import Study
from neuralgraph.wire.vocabulary import CONCEPT_LABELS

__all__ = [
    "CONCEPT_FEATURES",
    "FEATURISER",
    "LEAST_WIDTH",
    "check_source",
    "concept_features",
    "concept_matrix",
    "feature_origin",
]

FEATURISER = "hash-1"
"""Name of the recipe."""
LEAST_WIDTH = 16
"""Narrowest vector."""
CONCEPT_FEATURES: tuple[str, ...] = ("auto", "stored", "hash")
"""Where the vectors of concepts come from: stored ones if there are any and else hashed, only stored, only hashed."""

_STATES: tuple[str, ...] = (
    "Anatomy",
    "Observation",
    "measurement",
    "definitely present",
    "uncertain",
    "definitely absent",
)
_LOWER = {ord("A") + i: ord("a") + i for i in range(26)}
_WORD = re.compile(r"[a-z0-9\u0080-\U0010ffff]+")
_GRAM_LENGTHS = (3, 4, 5)
_WORD_WEIGHT, _GRAM_WEIGHT = 2, 1
_SIGN_BIT = 1 << 63
_AT_ONCE = 64
"""Concepts whose vectors are made together."""


def concept_features(concepts: Sequence[Concept], width: int) -> NDArray[np.float32]:
    """Vectors of concepts from text and label, by the recipe ``FEATURISER``.

    Parameters
    ----------
    concepts : spans do not count.
    width : values per vector, at least ``LEAST_WIDTH``.

    Returns
    -------
    float32 [len(concepts), width] : rows of length 1.

    Raises
    ------
    StudyError (E_NUM) : ``width`` is below ``LEAST_WIDTH``.
    """
    if width < LEAST_WIDTH:
        reason = f"hashed concept features need a width of at least {LEAST_WIDTH}, got {width}"
        raise StudyError(reason, code="E_NUM", where="concept_features")
    features = np.empty((len(concepts), width), np.float32)
    for start in range(0, len(concepts), _AT_ONCE):
        some = concepts[start : start + _AT_ONCE]
        label = np.array([_states(concept.label) for concept in some])
        text = _text_counts([concept.text for concept in some], width - len(_STATES))
        # Both are rows of small integers: their squares add up exactly in whatever order a library adds.
        of_label, of_text = (np.einsum("ij,ij->i", part, part) for part in (label, text))
        parts = 1.0 + (of_text > 0)
        rows = features[start : start + _AT_ONCE]
        rows[:, : len(_STATES)] = label / np.sqrt(parts * of_label)[:, None]
        rows[:, len(_STATES) :] = text / np.sqrt(np.maximum(1.0, parts * of_text))[:, None]
    return features


@lru_cache(maxsize=len(CONCEPT_LABELS))
def _states(label: str) -> tuple[float, ...]:
    named = label.split("::")
    return tuple(float(state in named) for state in _STATES)


def _text_counts(texts: Sequence[str], bins: int) -> NDArray[np.float64]:
    """float64 [n, bins]: the pieces of each text, counted where their hashes put them."""
    words = [_WORD.findall(text.translate(_LOWER)) or [text] for text in texts]
    pieces = [_pieces(word) for of_text in words for word in of_text]
    lengths = [sum(_pieces(word).shape[1] for word in of_text) for of_text in words]
    hashes, weights = np.concatenate(pieces, axis=1)
    place = (hashes & np.uint64(_SIGN_BIT - 1)) % np.uint64(bins)
    place += np.repeat(np.arange(len(texts), dtype=np.uint64) * np.uint64(bins), lengths)
    signed = np.where(hashes < _SIGN_BIT, 1.0, -1.0) * weights
    counts = np.bincount(place.astype(np.intp), signed, minlength=len(texts) * bins)
    # The types of NumPy do not know that sums of weights are float64.
    return counts.astype(np.float64, copy=False).reshape(len(texts), bins)


@lru_cache(maxsize=1 << 14)
def _pieces(word: str) -> NDArray[Any]:
    """uint64 [2, n]: hash and weight of a word and of its runs of characters."""
    framed = f"<{word}>"
    grams = [framed[i : i + n] for n in _GRAM_LENGTHS for i in range(len(framed) - n + 1)]
    hashes = [_hash(f"w{word}"), *(_hash(f"g{gram}") for gram in grams)]
    pieces = np.array([hashes, [_WORD_WEIGHT] + [_GRAM_WEIGHT] * len(grams)], np.uint64)
    pieces.flags.writeable = False
    return pieces


def _hash(piece: str) -> int:
    digest = hashlib.blake2b(piece.encode(), digest_size=8, person=b"ngr hash-1", usedforsecurity=False).digest()
    return int.from_bytes(digest, "little")


def check_source(source: str) -> None:
    """Refuse what is no source of concept features.

    Raises
    ------
    StudyError (E_IDX) : ``source`` is not one of ``CONCEPT_FEATURES``.
    """
    if source not in CONCEPT_FEATURES:
        known = ", ".join(CONCEPT_FEATURES)
        reason = f"{source!r} is no source of concept features; use one of {known}"
        raise StudyError(reason, code="E_IDX", where="concept_features")


def feature_origin(study: Study, source: str) -> str:
    """Where the vectors of a study's concepts come from: "stored" or ``FEATURISER``.

    Parameters
    ----------
    study : the study.
    source : one of ``CONCEPT_FEATURES``.

    Raises
    ------
    StudyError (E_IDX) : ``source`` is not one of ``CONCEPT_FEATURES``.
    StudyError (E_SIZE) : stored vectors are asked for, and concepts have none.
    """
    check_source(source)
    if source == "stored" and study.concepts and study.concept_vectors is None:
        reason = "the study holds no concept vectors; ask for 'hash'"
        raise StudyError(reason, code="E_SIZE", where="concept_features")
    stored = source == "stored" or (source == "auto" and study.concept_vectors is not None)
    return "stored" if stored else FEATURISER


def concept_matrix(study: Study, origin: str, *, width: int | None = None) -> NDArray[np.float32]:
    """Vectors of a study's concepts, stored or hashed.

    Stored vectors of a width that does not fit are an error, never quietly replaced: ask for "hash" to leave them
    aside.

    Parameters
    ----------
    study : the study.
    origin : what ``feature_origin`` says of it.
    width : the only width that will do; None takes stored vectors of any width and hashes to that of the patches.

    Returns
    -------
    float32 [n_concepts, w] : writable. Without concepts, w is ``width`` or else that of the patches.

    Raises
    ------
    StudyError (E_SIZE) : stored vectors are of another width.
    StudyError (E_NUM) : vectors would be hashed to a width below ``LEAST_WIDTH``.
    """
    wanted = study.patches.embedding.shape[1] if width is None else width
    if not study.concepts:
        return np.empty((0, wanted), np.float32)
    vectors = study.concept_vectors if origin == "stored" else None
    if vectors is None:
        return concept_features(study.concepts, wanted)
    stored = vectors.vector.shape[1]
    if width is not None and stored != width:
        reason = f"the stored concept vectors have width {stored}, not {width}; ask for 'hash' to leave them aside"
        raise StudyError(reason, code="E_SIZE", where="concept_features")
    return vectors.vector[vectors.index]
