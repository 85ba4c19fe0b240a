from __future__ import annotations

import dataclasses
import itertools
import json
import socket

import pytest
import safetensors.torch
import torch

from neuralgraph.compressor.model.backbone import VisionEncoder
from neuralgraph.compressor.model.configuration import NeuralGraphConfig
from neuralgraph.compressor.model_scorer import ModelScorer
from neuralgraph.compressor.training.batches import Batches, BatchSettings
from neuralgraph.compressor.training.examples import split_by_patient
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.train import Runtime, TrainingStopped, fresh_start, start_from, train
from neuralgraph.compressor.training.trainer import FilmTrainer
from neuralgraph.compressor.training.verdict import read_verdict, verdict_lines
from neuralgraph.errors import ModelError, OutputError

QUICK = Recipe(
    steps=6,
    batch_size=4,
    vision_rate=1e-2,
    text_rate=1e-2,
    warmup=1,
    validate_every=2,
    precision="float32",
    longest_report=40,
    first_steps=3,
)


@pytest.fixture
def parts(examples):
    return split_by_patient(examples, share=0.4, seed=0)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*unused):
        raise AssertionError("training asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def stopped_after(count):
    """A runtime that asks to stop once it was told of so many steps, and what it was told: (step, steps)."""
    told = []
    return Runtime(stop=lambda: len(told) >= count, progress=lambda step, steps, _: told.append((step, steps))), told


def weights_of(directory):
    return safetensors.torch.load_file(directory / "model.safetensors")


def test_what_it_writes_is_a_model_and_no_code(start, parts, tokenizer, tmp_path, no_network):
    steps = []
    trained = train(
        start(), parts, tmp_path / "m", QUICK, half=True, runtime=Runtime(progress=lambda step, *_: steps.append(step))
    )
    assert steps == [1, 2, 3, 1, 2, 3, 4, 5, 6]
    assert sorted(path.name for path in trained.directory.iterdir()) == [
        "config.json",
        "mean_attention.safetensors",
        "model.safetensors",
        "patch_head.safetensors",
        "preprocessor_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    ]
    record = json.loads((trained.directory / "training.json").read_text())
    assert record["recipe"]["steps"] == 6
    assert str(tmp_path) not in json.dumps(record)
    losses = [line["eval_loss"] for line in record["log"] if "eval_loss" in line]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    assert set(trained.losses) == {"loss", "generation_loss", "classification_loss", "pruned_loss"}
    assert {tensor.dtype for tensor in weights_of(trained.directory).values()} == {torch.float16}
    scorer = ModelScorer.load(trained.directory)
    assert scorer.trained
    # Most reports of the phantoms begin with their findings, and so does what the model will write.
    assert NeuralGraphConfig.read(trained.directory).opening == tuple(tokenizer.encode("FINDINGS:"))
    assert scorer.digest == trained.digest


def test_a_stopped_run_continues_to_the_same_weights(start, parts, tmp_path, monkeypatch):
    whole = train(start(), parts, tmp_path / "whole", QUICK)

    def stop(step, total, *unused):
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(start(), parts, tmp_path / "parts", QUICK, runtime=Runtime(progress=stop))
    left = sorted(path for path in (tmp_path / "parts").rglob("*") if path.is_file())
    assert {path.suffix for path in left} == {".json", ".safetensors"}
    assert not any(path.read_bytes()[:1] == b"\x80" or path.read_bytes()[:2] == b"PK" for path in left)
    monkeypatch.setattr(torch, "load", None)
    seen = []
    continued = train(
        start(), parts, tmp_path / "parts", QUICK, runtime=Runtime(progress=lambda step, *_: seen.append(step))
    )
    assert seen == [5, 6]
    assert all(
        torch.equal(tensor, weights_of(continued.directory)[name])
        for name, tensor in weights_of(whole.directory).items()
    )


def test_checkpoints_of_another_run_are_not_continued(start, parts, tmp_path):
    def stop(step, total, *unused):
        if (step, total) == (3, 6):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(start(), parts, tmp_path, QUICK, runtime=Runtime(progress=stop))
    with pytest.raises(OutputError, match="other data or settings"):
        train(start(), parts[::-1], tmp_path, QUICK)


def test_a_rate_for_each_part_and_no_decay_on_norms(start, parts, tmp_path):
    made = start()
    recipe = Recipe(vision_rate=1e-3, bridge_rate=3e-3, text_rate=2e-3, weight_decay=0.1, precision="float32")
    settings = BatchSettings(batch_size=2, longest=200, seed=5)
    batches = Batches(parts[0], made.model.config, made.tokenizer, made.preprocessor, settings, count=1)
    trainer = FilmTrainer(made.model, recipe, tmp_path, train=batches, validate=batches)
    optimizer = trainer.create_optimizer()
    of = {id(weight): group for group in optimizer.param_groups for weight in group["params"]}
    assert len(of) == len(list(made.model.parameters()))
    for name, weight in made.model.named_parameters():
        rate = {"vision": 1e-3, "classifier": 3e-3, "projection": 3e-3}.get(name.split(".")[0], 2e-3)
        assert of[id(weight)]["lr"] == rate, name
        assert of[id(weight)]["weight_decay"] == (0.1 if weight.ndim > 1 else 0.0), name


def test_a_run_stops_when_it_no_longer_learns(start, parts, tmp_path):
    still = Recipe(
        steps=40,
        batch_size=4,
        vision_rate=0,
        bridge_rate=0,
        text_rate=0,
        warmup=0,
        validate_every=2,
        patience=2,
        precision="float32",
        longest_report=40,
    )
    trained = train(start(), parts, tmp_path / "m", still)
    assert trained.steps == 2
    assert max(line["step"] for line in trained.log) == 6


@pytest.mark.parametrize("first_steps", [0, 2])
def test_an_encoder_without_a_rate_learns_in_its_first_lessons_only(start, parts, tmp_path, first_steps):
    made = start()
    before = {name: tensor.clone() for name, tensor in made.model.vision.state_dict().items()}
    recipe = Recipe(
        steps=1,
        batch_size=4,
        vision_rate=0,
        warmup=0,
        validate_every=1,
        precision="float32",
        longest_report=40,
        first_steps=first_steps,
    )
    stored = weights_of(train(made, parts, tmp_path / "m", recipe).directory)
    moved = {name for name, tensor in before.items() if not torch.equal(tensor, stored[f"vision.{name}"])}
    learnt = {name for name, _ in made.model.vision.named_parameters()} if first_steps else set()
    assert moved == learnt


def test_fine_tuning_keeps_everything_but_the_head_of_other_findings(start, parts, tmp_path):
    first = train(start(), parts, tmp_path / "first", QUICK)
    again = start_from(first.directory, name="again", labels=())
    assert again.source == first.digest
    assert again.model.config.labels == ("nodule", "pneumonia")
    stored = weights_of(first.directory)
    assert all(torch.equal(again.model.state_dict()[name], tensor) for name, tensor in stored.items())
    other = start_from(first.directory, name="other", labels=("nodule",))
    assert other.model.classifier[1].weight.shape[0] == 1
    assert torch.equal(other.model.projection[0].weight, stored["projection.0.weight"])


def test_nothing_to_learn_from_is_said(start, parts, tmp_path):
    with pytest.raises(ModelError, match="0 to validate"):
        train(start(), (parts[0], parts[1].part([])), tmp_path, QUICK)


def test_a_head_for_other_findings_is_the_same_for_the_same_seed(demo_directory):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    made = [start_from(demo_directory, name="n", labels=("nodule",), seed=seed).model for seed in (3, 3, 4)]
    heads = [torch.cat([weight.flatten() for weight in model.classifier.parameters()]) for model in made]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "change", [{"steps": 0}, {"vision_rate": -1}, {"precision": "float8"}, {"validation_share": 1.0}, {"clip": 0}]
)
def test_a_recipe_out_of_range_is_refused(change):
    with pytest.raises(ModelError) as caught:
        Recipe(**change)
    assert caught.value.code == "E_MODEL"


def test_a_signal_leaves_a_checkpoint_and_the_run_goes_on(start, parts, tmp_path):
    with pytest.raises(TrainingStopped) as caught:
        train(start(), parts, tmp_path / "m", QUICK, stopped_after(5)[0])
    assert (caught.value.step, caught.value.steps) == (3, 6)
    again = []
    trained = train(
        start(), parts, tmp_path / "m", QUICK, runtime=Runtime(progress=lambda step, *_: again.append(step))
    )
    assert again == [4, 5, 6]
    whole = train(start(), parts, tmp_path / "whole", QUICK)
    assert all(
        torch.equal(tensor, weights_of(trained.directory)[name]) for name, tensor in weights_of(whole.directory).items()
    )


def test_a_signal_during_first_lessons_keeps_them(start, parts, tmp_path):
    lessons = dataclasses.replace(QUICK, first_steps=5, steps=2)
    with pytest.raises(TrainingStopped, match="2 of 5 first lessons") as caught:
        train(start(), parts, tmp_path / "m", lessons, stopped_after(2)[0])
    assert (caught.value.step, caught.value.steps) == (2, 5)
    again = []
    trained = train(
        start(), parts, tmp_path / "m", lessons, runtime=Runtime(progress=lambda step, *_: again.append(step))
    )
    assert again == [3, 4, 5, 1, 2]
    assert not (trained.directory / "checkpoints").exists()
    whole = train(start(), parts, tmp_path / "whole", lessons)
    assert all(
        torch.equal(tensor, weights_of(trained.directory)[name]) for name, tensor in weights_of(whole.directory).items()
    )


def test_damaged_first_lessons_are_said(start, parts, tmp_path):
    with pytest.raises(TrainingStopped):
        train(start(), parts, tmp_path / "m", QUICK, stopped_after(1)[0])
    (tmp_path / "m" / "checkpoints" / "first_lessons.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be continued") as caught:
        train(start(), parts, tmp_path / "m", QUICK)
    assert caught.value.code == "E_MODEL"


def test_the_verdict_compares_with_the_model_it_began_with(start, parts, tmp_path):
    trained = train(start(), parts, tmp_path / "m", QUICK)
    assert set(trained.verdict) == {"before", "after", "steps", "chosen_by"}
    assert set(trained.verdict["before"]) == set(trained.verdict["after"])
    assert {"area_kept", "mean_map_area", "pointing", "bleu2"} <= set(trained.verdict["after"])
    assert read_verdict(trained.directory) == json.loads(json.dumps(trained.verdict))
    lines = "\n".join(verdict_lines(trained.verdict))
    assert "fixed map" in lines
    assert "before" in lines
    assert read_verdict(tmp_path) == {}


@pytest.fixture
def staged(preprocessor, tokenizer):
    """A function () -> a fresh tiny model whose encoder is a stage of a backbone of timm, always the same."""

    def make():
        vision = {
            "backbone": "tf_efficientnet_lite0",
            "backbone_stride": 8,
            "backbone_dimension": 40,
            "backbone_stage": 3,
            "neck_dimension": 8,
        }
        text = {"vocab_size": 2048, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
        config = NeuralGraphConfig(name="tiny", labels=("nodule", "pneumonia"), vision=vision, text=text)
        return fresh_start(config, tokenizer, preprocessor, seed=3)

    return make


KEPT = dataclasses.replace(QUICK, first_steps=0, vision_rate=0.0, kept_batches=3)


def test_frozen_parts_are_computed_once_and_learn_nothing(staged, parts, tmp_path, monkeypatch):
    made = staged()
    before = {name: tensor.clone() for name, tensor in made.model.vision.state_dict().items()}
    computed = []
    leading = VisionEncoder.leading
    monkeypatch.setattr(VisionEncoder, "leading", lambda *given: computed.append(1) or leading(*given))
    stored = weights_of(train(made, parts, tmp_path / "m", KEPT).directory)
    assert len(computed) == KEPT.kept_batches < KEPT.steps
    assert all(torch.equal(tensor, stored[f"vision.{name}"]) for name, tensor in before.items())


def test_batches_that_are_kept_are_told_of_and_a_signal_does_not_wait_for_them(staged, parts, tmp_path):
    runtime, told = stopped_after(2)
    with pytest.raises(TrainingStopped, match="2 of 3 kept batches"):
        train(staged(), parts, tmp_path / "m", KEPT, runtime)
    assert told == [(1, 3), (2, 3)]
    assert train(staged(), parts, tmp_path / "m", KEPT).digest == train(staged(), parts, tmp_path / "w", KEPT).digest


def test_batches_are_kept_only_behind_what_is_frozen(start, staged, parts, tmp_path):
    for made, recipe, reason in (
        (start(), KEPT, "another backbone than Swin"),
        (staged(), dataclasses.replace(KEPT, vision_rate=1e-3), "nothing is"),
    ):
        with pytest.raises(ModelError, match=reason) as caught:
            train(made, parts, tmp_path / "m", recipe)
        assert caught.value.where == "recipe: kept_batches"
    assert not (tmp_path / "m").exists()


@pytest.fixture
def clock(monkeypatch):
    """Every look at it is a second later."""
    monkeypatch.setattr("neuralgraph.compressor.training.train.perf_counter", map(float, itertools.count()).__next__)


@pytest.mark.parametrize(("kept", "seconds"), [(0, 3 + 4), (1, 3 + 4), (3, 3 + 3 + 3 + 4), (9, 3 + 3 + 4 + 4)])
def test_how_long_it_takes_is_told_beforehand_and_changes_nothing(staged, parts, tmp_path, clock, kept, seconds):
    recipe = dataclasses.replace(QUICK, vision_rate=1e-3, frozen_parts=2, steps=4, kept_batches=kept)
    told = []
    runtime = Runtime(expected=told.append, progress=lambda step, *_: told.append(step))
    trained = train(staged(), parts, tmp_path / "m", recipe, runtime)
    # A lesson, an update and a batch that is kept take a second each; the first of each is not counted on.
    lessons, updates = range(1, min(kept, 3) + 1), range(1, min(kept, 4) + 1)
    assert told == [seconds, *lessons, 1, 2, 3, *updates, 1, 2, 3, 4]
    assert trained.digest == train(staged(), parts, tmp_path / "w", recipe).digest


def test_what_is_done_takes_no_time_again(start, parts, tmp_path, clock):
    with pytest.raises(TrainingStopped) as caught:
        train(start(), parts, tmp_path / "m", QUICK, stopped_after(7)[0])
    told = []
    train(start(), parts, tmp_path / "m", QUICK, Runtime(expected=told.append))
    assert told == [caught.value.steps - caught.value.step] == [1]
