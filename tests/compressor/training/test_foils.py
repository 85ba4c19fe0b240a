from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from neuralgraph.compressor.attention import CrossAttention
from neuralgraph.compressor.training.batches import Batches, BatchSettings
from neuralgraph.compressor.training.foils import Said, foil_of
from neuralgraph.compressor.training.guidance import score_loss
from neuralgraph.compressor.training.sides import named_side, swapped_sides
from neuralgraph.compressor.training.variation import augmented, moved


def run_of(logits):
    """A cross-attention of one head whose weights are softmax(logits), [T, N]."""
    tokens, patches = logits.shape
    identity = torch.nn.Linear(patches, patches, bias=False)
    identity.weight.data = torch.eye(patches)
    module = SimpleNamespace(n_heads=1, key_value_proj_dim=patches, k=identity, q=identity)
    return CrossAttention(module, logits[None], torch.eye(patches)[None], torch.zeros(1, tokens, patches))


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("Opacity in the Right lower lobe, LEFT base clear.", "Opacity in the Left lower lobe, RIGHT base clear."),
        ("Right middle lobe opacity.", "Lingula of the left lung opacity."),
        ("The lungs are clear.", "The lungs are clear."),
        ("Tip of the line in the right atrium, stomach bubble on the left.", None),
        ("brightness is not right-minded", "brightness is not left-minded"),
    ],
)
def test_sides_of_a_text_are_swapped(text, swapped):
    assert swapped_sides(text) == swapped


def test_the_side_a_text_names():
    assert named_side("Opacity in the right lower lobe") == "right"
    assert named_side("Right and left effusion") == named_side("Effusion") == ""


def test_a_swapped_text_belongs_to_the_mirrored_place_and_another_text_to_its_own():
    coverage = torch.zeros(2, 1, 4, 4)
    coverage[0, 0, 1, 0] = coverage[1, 0, 3, 3] = 1
    told = [Said("Right nodule.", ((0, "Right nodule"),)), Said("Left effusion.", ((0, "Left effusion"),))]
    seen = set()
    for seed in range(20):
        texts = []

        def tokens(said, texts=texts):
            texts += said
            return torch.zeros(2, 3, dtype=torch.long), torch.zeros(2, 3, dtype=torch.long)

        foil = foil_of(told, coverage, np.random.default_rng(seed), tokens)
        text, place = texts[0].text, foil.coverage[0, 0]
        expected = {"Left nodule.": coverage[0, 0].flip(-1), "Left effusion.": coverage[1, 0]}
        seen.add(text)
        assert torch.equal(place, expected.get(text, coverage[0, 0]))
    assert {"Left nodule.", "Left effusion."} <= seen


def test_the_summed_attention_is_to_lie_as_the_places_do():
    even = run_of(torch.zeros(2, 4))
    coverage = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 2, 2)
    counted, spoken = torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0, -1]])
    assert score_loss(even, counted, spoken, coverage).item() == pytest.approx(math.log(2), abs=1e-5)
    there = run_of(torch.tensor([[9.0, 9.0, -9.0, -9.0]] * 2))
    assert score_loss(there, counted, spoken, coverage).item() == pytest.approx(0, abs=1e-3)
    assert score_loss(there, counted, torch.tensor([[-1, -1]]), coverage).item() == 0


def test_a_mirrored_film_has_its_mask_mirrored_and_its_text_swapped(examples, start, tokenizer, preprocessor):
    film = torch.zeros(1, 1, 64, 48)
    film[..., 10:20, 4:10] = 1
    still = (np.zeros(1), np.ones(1), np.zeros((1, 2)))
    mirrored, mask = moved(film, film.to(torch.uint8), *still, -np.ones(1))
    assert torch.allclose(mirrored, film.flip(-1), atol=1e-4)
    assert torch.equal(mask, film.flip(-1).to(torch.uint8))
    turned, _ = augmented(film, None, np.random.default_rng(0), stride=8, mirrored=[True])
    assert turned[..., turned.shape[3] // 2 :].mean() > turned[..., : turned.shape[3] // 2].mean()
    settings = BatchSettings(batch_size=3, longest=200, seed=5, augment=True)
    plain, flipped = (
        Batches(examples, start().model.config, tokenizer, preprocessor, replace(settings, flips=flips), count=12)
        for flips in (0.0, 1.0)
    )
    for number in range(12):
        for before, after in zip(plain[number]["labels"], flipped[number]["labels"], strict=True):
            text, other = (tokenizer.decode(row[row >= 0].tolist()) for row in (before, after))
            wanted = swapped_sides(text)
            if wanted is not None and len(text) == len(wanted):
                assert other == wanted
