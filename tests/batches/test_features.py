from __future__ import annotations

import hashlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph import Concept, StudyError
from neuralgraph.batches.features import FEATURISER, concept_features
from neuralgraph.wire.vocabulary import CONCEPT_LABELS

concepts = st.builds(Concept, st.text(min_size=1, max_size=30), st.sampled_from(CONCEPT_LABELS), st.just(0), st.just(1))


def slow_vector(text: str, label: str, width: int) -> list[float]:
    """The recipe as its documentation says it, with nothing shared with the code."""
    words, word = [], ""
    for character in text + " ":
        character = character.lower() if character < "\x80" else character
        if character.isascii() and not character.isalnum():
            if word:
                words.append(word)
            word = ""
        else:
            word += character
    counts = [0] * (width - 6)
    for word in words or [text]:
        framed = "<" + word + ">"
        pieces = [("w" + word, 2)]
        pieces += [
            ("g" + framed[i:j], 1) for i in range(len(framed)) for j in (i + 3, i + 4, i + 5) if j <= len(framed)
        ]
        for piece, weight in pieces:
            h = int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=8, person=b"ngr hash-1").digest(), "little")
            counts[h % 2**63 % (width - 6)] += weight if h < 2**63 else -weight
    names = ["Anatomy", "Observation", "measurement", "definitely present", "uncertain", "definitely absent"]
    states = [int(name in label.split("::")) for name in names]
    squares = [sum(value * value for value in part) for part in (states, counts)]
    both = 2 if squares[1] else 1
    return [v / (both * squares[0]) ** 0.5 for v in states] + [v / (both * squares[1] or 1) ** 0.5 for v in counts]


@given(concept=concepts, width=st.integers(16, 300))
def test_the_recipe_is_the_documented_one(concept: Concept, width: int) -> None:
    vector = concept_features([concept], width)
    assert vector.dtype == np.float32
    assert vector.tobytes() == np.array([slow_vector(concept.text, concept.label, width)], np.float32).tobytes()
    assert np.linalg.norm(vector[0].astype(np.float64)) == pytest.approx(1, abs=1e-6)


def test_vectors_known_since_the_first_version() -> None:
    # Frozen: a change of a single bit is another recipe and needs another name.
    concept = [Concept("Pleural effusion, left", "Observation::definitely absent", 3, 25)]
    assert FEATURISER == "hash-1"
    digests = {
        width: hashlib.sha256(concept_features(concept, width).tobytes()).hexdigest()[:16] for width in (16, 1024)
    }
    assert digests == {16: "c349ee0d313a09a4", 1024: "9551bd7bcb7909fb"}


@pytest.mark.parametrize("width", [16, 64, 1024])
def test_every_label_of_a_text_has_a_vector_of_its_own(width: int) -> None:
    vectors = concept_features([Concept("effusion", label, 0, 8) for label in CONCEPT_LABELS], width)
    for a, b in combinations(vectors, 2):
        assert float(a @ b) < 0.95


def test_spans_do_not_count_and_case_does_not_either() -> None:
    a, b, c = concept_features(
        [Concept(text, CONCEPT_LABELS[0], start, start + 4) for text, start in (("lung", 0), ("lung", 9), ("LUNG", 0))],
        32,
    )
    assert np.array_equal(a, b)
    assert np.array_equal(a, c)


def test_related_words_are_nearer_than_unrelated_ones() -> None:
    texts = ("pleural effusion", "pleural effusions", "cardiomegaly")
    effusion, effusions, heart = concept_features([Concept(text, CONCEPT_LABELS[3], 0, 1) for text in texts], 512)
    assert effusion @ effusions > 0.85
    assert effusion @ heart < 0.7


def test_no_concepts_and_too_narrow() -> None:
    assert concept_features([], 16).shape == (0, 16)
    with pytest.raises(StudyError) as caught:
        concept_features([], 15)
    assert caught.value.code == "E_NUM"
