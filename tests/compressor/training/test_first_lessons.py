from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from neuralgraph.compressor.training.first_lessons import order_loss
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.variation import augmented
from neuralgraph.errors import ModelError


def test_the_order_of_patches_is_that_of_the_area_they_hold():
    coverage = torch.zeros(1, 2, 2)
    coverage[0, 0, 0], coverage[0, 0, 1] = 0.75, 0.25
    known = torch.ones(1, 2, 2)
    right = torch.tensor([[[0.75, 0.25], [1e-9, 1e-9]]]).log()
    assert order_loss(right, coverage, known).item() == pytest.approx(0, abs=1e-5)
    assert order_loss(right.flip(2), coverage, known).item() > 0.4
    # A fuller patch is wanted more, unlike in a loss that counts both as covered.
    assert order_loss(torch.zeros(1, 2, 2), coverage, known) > order_loss(right, coverage, known)


def test_films_that_are_not_known_everywhere_have_no_order():
    coverage, known = torch.ones(2, 2, 2), torch.ones(2, 2, 2)
    known[0, 1, 1] = 0
    coverage[1] = 0
    logits = torch.randn(2, 2, 2, requires_grad=True)
    loss = order_loss(logits, coverage, known)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_batches_are_shown_at_the_sides_of_the_recipe():
    films, bits = torch.rand(2, 1, 128, 96), torch.ones(2, 1, 128, 96, dtype=torch.uint8)
    seen = set()
    for seed in range(40):
        varied, masks = augmented(films, bits, np.random.default_rng(seed), stride=16, sides=((64, 0.5), (512, 0.5)))
        seen.add(tuple(varied.shape[2:]))
        # Masks keep their pixels; the grid takes the mean of them.
        assert masks.shape == bits.shape
    assert seen == {(64, 48), (128, 96)}


@pytest.mark.parametrize("sides", [((0, 1.0),), ((256, 0.0),)])
def test_sides_out_of_range_are_refused(sides):
    with pytest.raises(ModelError) as caught:
        dataclasses.replace(Recipe(), sides=sides)
    assert caught.value.code == "E_MODEL"
