"""Losses to three digits are those of the exact sums, however they were found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from neuralgraph.codecs.loss import (
    channel_deviation,
    cosine_error,
    normalised_rmse,
    rounded_cosine_error,
    rounded_rmse,
    three_digits,
)

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
matrices = array_shapes(min_dims=2, max_dims=2, max_side=12).flatmap(
    lambda shape: arrays(np.float32, shape, elements=finite)
)


def check(matrix, decoded):
    deviation = channel_deviation(matrix)
    assert rounded_cosine_error(matrix, decoded) == three_digits(cosine_error(matrix, decoded))
    assert rounded_rmse(matrix, decoded, deviation) == three_digits(normalised_rmse(matrix, decoded, deviation))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(matrices, st.integers(0, 2**32 - 1))
def test_any_matrices(matrix, seed):
    noise = np.random.default_rng(seed).uniform(0.9, 1.1, matrix.shape)
    with np.errstate(all="ignore"):
        decoded = np.nan_to_num((matrix * noise).astype(np.float32))
        check(matrix, decoded)
        check(matrix, np.zeros_like(matrix))


@pytest.mark.parametrize("step", [0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (6, 128), (94, 384), (3, 2048), (0, 8)])
def test_embeddings(step, shape):
    for seed in range(20):
        random = np.random.default_rng(seed)
        matrix = random.normal(size=shape).astype(np.float32)
        check(matrix, (matrix + step * random.normal(size=shape)).astype(np.float32))
