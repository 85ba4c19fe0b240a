from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import pytest
import torch

from neuralgraph.compressor.attention import CrossAttention, captured
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.training.batches import Batches, BatchSettings
from neuralgraph.compressor.training.examples import split_by_patient
from neuralgraph.compressor.training.guidance import guidance_loss
from neuralgraph.compressor.training.train import train


def run_of(logits):
    """A cross-attention of one head whose weights are softmax(logits), [T, N]."""
    tokens, patches = logits.shape
    identity = torch.nn.Linear(patches, patches, bias=False)
    identity.weight.data = torch.eye(patches)
    module = SimpleNamespace(n_heads=1, key_value_proj_dim=patches, k=identity, q=identity)
    return CrossAttention(module, logits[None], torch.eye(patches)[None], torch.zeros(1, tokens, patches))


def test_the_loss_is_that_of_the_attention_on_the_finding_spoken_of():
    run = run_of(torch.log(torch.tensor([[0.5, 0.25, 0.25, 1e-9], [0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]])))
    coverage = torch.zeros(1, 8, 2, 2)
    coverage[0, 2] = torch.tensor([[0.2, 0.05], [1.0, 0.0]])
    coverage[0, 5] = torch.tensor([[0.0, 0.0], [0.0, 0.5]])
    # The first token speaks of finding 2 (patches 0 and 2), the second of 5 (patch 3), the third of nothing.
    loss = guidance_loss(run, torch.tensor([[2, 5, -1]]), coverage)
    assert loss.item() == pytest.approx(-(math.log(0.75) + math.log(0.4)) / 2, abs=1e-5)


def test_what_covers_no_patch_is_not_looked_for():
    run = run_of(torch.zeros(2, 4, requires_grad=True))
    assert guidance_loss(run, torch.tensor([[3, -1]]), torch.full((1, 8, 2, 2), 0.05)).item() == 0


def test_tokens_speak_of_the_findings_whose_phrases_they_lie_in(examples, start, tokenizer, preprocessor):
    batches = Batches(
        examples, start().model.config, tokenizer, preprocessor, BatchSettings(batch_size=3, longest=200, seed=5)
    )
    by_text = {}
    for number in range(len(batches)):
        batch, *_, spoken, _ = batches.lesson(number)
        assert "spoken" not in batches[number]
        for tokens, bits in zip(batch["labels"], spoken, strict=True):
            by_text[tokenizer.decode(tokens[tokens >= 0].tolist())] = (tokens, bits)
    seen = 0
    for number in range(len(examples)):
        example = examples[number]
        (tokens, bits) = next(found for text, found in by_text.items() if all(w in text for _, w in example.phrases))
        for bit in {bit for bit, _ in example.phrases}:
            place = batches.structures.index(example.structures[bit])
            said = tokenizer.decode(tokens[(bits == place) & (tokens >= 0)].tolist())
            wanted = "".join(words for other, words in example.phrases if other == bit)
            assert said.replace(" ", "") == wanted.replace(" ", "")
            assert (example.masks[0] >> bit & 1).any()
            seen += 1
    assert seen >= 3


def test_guidance_moves_the_attention_of_the_last_layer(quick, start, examples, tokenizer, preprocessor, tmp_path):
    parts = split_by_patient(examples, share=0.4, seed=0)
    batches = Batches(
        examples, start().model.config, tokenizer, preprocessor, BatchSettings(batch_size=3, longest=200, seed=5)
    )
    off = {}
    for weight in (0.0, 30.0):
        trained = train(start(), parts, tmp_path / str(weight), dataclasses.replace(quick, guidance_weight=weight))
        assert any("guidance_loss" in line for line in trained.log) == bool(weight)
        assert not any("eval_guidance_loss" in line for line in trained.log)
        model = NeuralGraphModel.from_pretrained(trained.directory)
        off[weight] = 0.0
        for number in range(len(batches)):
            batch, coverage, _, spoken, _ = batches.lesson(number)
            with torch.inference_mode():
                with captured(model, [0]) as runs:
                    model(**batch)
                off[weight] += guidance_loss(runs[0], spoken, coverage).item()
    assert off[30.0] < 0.9 * off[0.0]


def test_films_without_marks_are_learnt_from_all_the_same(quick, start, examples, tmp_path, monkeypatch):
    plain = type(examples).__getitem__

    def bare(self, number):
        example = plain(self, number)
        return dataclasses.replace(example, masks=None, structures=(), known=(), phrases=()) if number % 2 else example

    monkeypatch.setattr(type(examples), "__getitem__", bare)
    trained = train(
        start(),
        split_by_patient(examples, share=0.4, seed=0),
        tmp_path,
        dataclasses.replace(quick, guidance_weight=1.0),
    )
    # Those of its batch that have marks are guided nevertheless.
    assert any(line.get("guidance_loss", 0) > 0 for line in trained.log)
