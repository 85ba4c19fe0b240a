from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from transformers.modeling_outputs import BaseModelOutput

from neuralgraph.compressor.attention import attention_scores, captured
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.training.batches import Batches, BatchSettings
from neuralgraph.compressor.training.examples import split_by_patient
from neuralgraph.compressor.training.pruned_reports import pruned_loss
from neuralgraph.compressor.training.train import train


@pytest.fixture
def lesson(start, examples, tokenizer, preprocessor):
    model = start().model.eval()
    batch = Batches(examples, model.config, tokenizer, preprocessor, BatchSettings(batch_size=3, longest=200, seed=5))[
        0
    ]
    return model, batch


def test_the_decoder_reads_what_the_compressor_would_keep(lesson):
    model, batch = lesson
    labels = batch["labels"]
    with torch.inference_mode():
        memory = model.encode(batch["pixels"]).memory
        decoder_ids = model.text._shift_right(labels)
        score = attention_scores(model, memory, decoder_ids, labels >= 0)
        count = math.ceil(0.05 * memory.shape[1])
        kept = torch.argsort(-score, dim=1, stable=True)[:, :count]
        chosen = torch.stack([own[places] for own, places in zip(memory, kept, strict=True)])
        expected = model.text(encoder_outputs=BaseModelOutput(last_hidden_state=chosen), labels=labels).loss
        with captured(model, [len(model.text.decoder.block) - 1]) as runs:
            model(**batch)
        loss = pruned_loss(model, runs[-1], labels)
    assert count < memory.shape[1] / 4
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


def test_retention_varies_in_training_and_follows_the_seed(lesson):
    model, batch = lesson
    with captured(model, [len(model.text.decoder.block) - 1]) as runs:
        model(**batch)
    seen = {}
    for seed in (1, 1, 2, 3):
        model.train()
        torch.manual_seed(seed)
        loss = pruned_loss(model, runs[-1], batch["labels"]).item()
        assert seen.setdefault(seed, loss) == loss
    assert len(set(seen.values())) == 3


def test_pruned_reports_are_learnt_in_mixed_precision(quick, start, examples, tmp_path):
    recipe = dataclasses.replace(quick, steps=2, validate_every=1, pruned_weight=1.0, precision="bfloat16")
    trained = train(start(), split_by_patient(examples, share=0.4, seed=0), tmp_path, recipe)
    assert all(math.isfinite(line["pruned_loss"]) for line in trained.log if "pruned_loss" in line)
    assert trained.losses["pruned_loss"] > 0


def test_a_decoder_that_read_pruned_films_writes_them_better(quick, start, examples, tokenizer, preprocessor, tmp_path):
    parts = split_by_patient(examples, share=0.4, seed=0)
    batches = Batches(
        examples, start().model.config, tokenizer, preprocessor, BatchSettings(batch_size=3, longest=200, seed=5)
    )
    lost = {}
    for weight in (0.0, 1.0):
        recipe = dataclasses.replace(quick, steps=20, pruned_weight=weight)
        trained = train(start(), parts, tmp_path / str(weight), recipe)
        for name in ("pruned_loss", "eval_pruned_loss"):
            assert any(name in line for line in trained.log) == bool(weight)
        model = NeuralGraphModel.from_pretrained(trained.directory)
        lost[weight] = 0.0
        for number in range(len(batches)):
            batch = batches[number]
            with torch.inference_mode():
                with captured(model, [len(model.text.decoder.block) - 1]) as runs:
                    model(**batch)
                lost[weight] += pruned_loss(model, runs[-1], batch["labels"]).item()
    assert lost[1.0] < lost[0.0]
