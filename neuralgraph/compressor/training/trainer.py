"""The Trainer of transformers with two learning rates, and without its pickles.

The Trainer keeps optimizer, schedule, random state and its own arguments with ``torch.save`` and reads them back with
``torch.load``. Here a checkpoint is weights and states as safetensors and the rest as JSON, and nothing else is read.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import nn
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import EarlyStoppingCallback, PrinterCallback

from neuralgraph.compressor.attention import CrossAttention, captured, chosen_layers
from neuralgraph.compressor.model.backbone import from_pixels
from neuralgraph.compressor.model.model import NeuralGraphModel
from neuralgraph.compressor.training.batches import Batches
from neuralgraph.compressor.training.guidance import guidance_loss, score_loss
from neuralgraph.compressor.training.kept_batches import KeptBatches
from neuralgraph.compressor.training.pruned_reports import pruned_loss
from neuralgraph.compressor.training.recipe import Recipe
from neuralgraph.compressor.training.runtime import Runtime
from neuralgraph.compressor.training.seeing import auc
from neuralgraph.compressor.training.training_log import TrainingLog
from neuralgraph.errors import ModelError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["FilmTrainer", "wants_bfloat16"]

_PLACES = ("coverage", "spoken", "foil_labels", "foil_spoken", "foil_coverage")
"""What a batch may hold beside what the model takes (see ``batches.Lesson``)."""
_TOLD = ("eval_area_kept", "eval_mean_map_area", "eval_pointing", "eval_side_gain", "eval_text_gain")
"""What the progress says beside losses."""
_OPTIMIZER, _SCHEDULE, _RANDOM = "optimizer.safetensors", "schedule.json", "random_state.safetensors"


def _computes_in_bfloat16(device: str) -> bool:
    """Whether a device has instructions for bfloat16; without them it is slower than float32."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return device == "cpu" and any(bool(value) for name, value in capabilities.items() if "bf16" in name)


def wants_bfloat16(recipe: Recipe, device: str) -> bool:
    """Whether a recipe is run in mixed precision on a device."""
    return recipe.precision == "bfloat16" or (recipe.precision == "auto" and _computes_in_bfloat16(device))


def _training_arguments(
    recipe: Recipe, folder: Path, *, device: str, chosen_by: str = "eval_loss"
) -> TrainingArguments:
    """The recipe in the Trainer's words; nothing is reported to or pushed to anyone.

    Parameters
    ----------
    recipe : the settings.
    folder : where checkpoints go.
    device : "cpu", or anything else for what accelerate finds.
    chosen_by : the measure of the validation films that says which step is the best; more is better, but for a loss.
    """
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=recipe.steps,
        # An item of the data set is a batch already.
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=recipe.accumulation,
        max_grad_norm=recipe.clip,
        bf16=wants_bfloat16(recipe, device),
        use_cpu=device == "cpu",
        ddp_backend="gloo" if device == "cpu" and "RANK" in os.environ else None,
        ddp_find_unused_parameters=True if "RANK" in os.environ else None,
        seed=recipe.seed,
        eval_strategy="steps",
        eval_steps=recipe.validate_every,
        save_strategy="steps",
        save_steps=recipe.validate_every,
        save_total_limit=2,
        logging_steps=min(50, recipe.validate_every),
        load_best_model_at_end=True,
        metric_for_best_model=chosen_by,
        greater_is_better=not chosen_by.endswith("loss"),
        prediction_loss_only=True,
        label_names=["labels", "class_labels"],
        remove_unused_columns=False,
        dataloader_pin_memory=device != "cpu",
        report_to="none",
        push_to_hub=False,
        disable_tqdm=True,
    )


class FilmTrainer(Trainer):  # type: ignore[misc]  # transformers has no types here
    """Trains a ``NeuralGraphModel`` on ``Batches``.

    Parameters
    ----------
    model : in training mode afterwards.
    recipe : the settings.
    folder : for checkpoints.
    train, validate : what it learns from, and what decides when to stop.
    runtime : where it computes, and who follows.
    watch : asked at every validation for measures of the model beside its losses, by name.
    chosen_by : as in ``_training_arguments``.
    """

    def __init__(
        self,
        model: NeuralGraphModel,
        recipe: Recipe,
        folder: Path,
        *,
        train: Batches | KeptBatches,
        validate: Batches,
        runtime: Runtime | None = None,
        watch: Callable[[], dict[str, float]] | None = None,
        chosen_by: str = "eval_loss",
    ) -> None:
        runtime = runtime or Runtime()
        self._recipe, self._runtime = recipe, runtime
        self._parts: dict[str, list[float]] = {}
        self._watch, self._watched = watch, dict[str, float]()
        self._classes: list[tuple[torch.Tensor, torch.Tensor]] = []
        if not recipe.vision_rate:
            # Half of a step's time is the encoder's gradient.
            model.vision.requires_grad_(requires_grad=False)
        super().__init__(
            model=model,
            args=_training_arguments(recipe, folder, device=runtime.device, chosen_by=chosen_by),
            train_dataset=train,
            eval_dataset=validate,
            data_collator=_only,
            callbacks=[EarlyStoppingCallback(recipe.patience), _Telling(runtime)],
        )
        if runtime.log_to is not None and self.is_world_process_zero():
            self.add_callback(TrainingLog(runtime.log_to))
        # It prints to stdout, where results go.
        self.remove_callback(PrinterCallback)

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW with a rate for each part; no weight decay on biases and norms.

        The projection has a lower one than the decoder: its ReLU dies when it learns fast while the decoder still
        learns to speak.
        """
        if self.optimizer is None:  # type: ignore[has-type]  # of transformers, which has no types
            recipe = self._recipe
            rates = {"vision": recipe.vision_rate, "projection": recipe.bridge_rate, "classifier": recipe.bridge_rate}
            groups: dict[tuple[float, float], list[nn.Parameter]] = {}
            for name, weight in (self.model if model is None else model).named_parameters():
                if weight.requires_grad:
                    rate = rates.get(name.removeprefix("module.").split(".")[0], recipe.text_rate)
                    groups.setdefault((rate, recipe.weight_decay if weight.ndim > 1 else 0.0), []).append(weight)
            self.optimizer = torch.optim.AdamW(
                [{"params": weights, "lr": rate, "weight_decay": decay} for (rate, decay), weights in groups.items()],
                betas=(0.9, 0.98),
            )
        return self.optimizer

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> torch.optim.lr_scheduler.LRScheduler:
        """A linear rise, then a cosine to 2 % of the peak."""
        if self.lr_scheduler is None:  # type: ignore[has-type]
            warmup = self._recipe.warmup

            def share(step: int) -> float:
                done = min(1.0, step / max(1, num_training_steps))
                return min(1.0, (step + 1) / (warmup + 1)) * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))

            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer or self.optimizer, share)
            self._created_lr_scheduler = True
        return self.lr_scheduler

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002  # the Trainer's own signature
        **_: Any,
    ) -> Any:
        """The joint loss, that of pruned reports, and those of guidance in training; the parts are kept for the log."""
        recipe = self._recipe
        guided, pruned = recipe.guidance_weight > 0 and self.model.training, recipe.pruned_weight > 0
        places = {name: inputs.pop(name, None) for name in _PLACES}
        whole = self.accelerator.unwrap_model(model)
        with captured(whole, chosen_layers(whole, -1) if guided or pruned else []) as runs:
            output = model(**inputs)
        parts = {name: output[name] for name in ("generation_loss", "classification_loss") if output[name] is not None}
        # A batch without a marked film is learnt from all the same.
        if guided and places["coverage"] is not None:
            parts["guidance_loss"] = _looks(runs[-1], inputs["labels"], places["spoken"], places["coverage"])
            output.loss = output.loss + recipe.guidance_weight * parts["guidance_loss"]
            if recipe.contrast_weight and places["foil_labels"] is not None:
                with self.accelerator.autocast():
                    foil = _read_again(whole, runs[-1].memory, places["foil_labels"])
                looked = _looks(foil, places["foil_labels"], places["foil_spoken"], places["foil_coverage"])
                parts["contrast_loss"] = looked
                output.loss = output.loss + recipe.guidance_weight * recipe.contrast_weight * looked
        if pruned:
            # The precision of the rest of the step; only the model as a whole finds that by itself.
            with self.accelerator.autocast():
                parts["pruned_loss"] = pruned_loss(whole, runs[-1], inputs["labels"])
            output.loss = output.loss + recipe.pruned_weight * parts["pruned_loss"]
        prefix = "" if self.model.training else "eval_"
        if prefix and "class_labels" in inputs:
            self._classes.append((output.class_logits.float().cpu(), inputs["class_labels"].float().cpu()))
        for name, part in parts.items():
            self._parts.setdefault(prefix + name, []).append(part.item())
        return (output.loss, output) if return_outputs else output.loss

    def try_out(self) -> None:
        """Updates from every batch as ``train`` makes them, with nothing logged or kept: for a model that is a copy."""
        model = self.model.train()
        optimizer = self.create_optimizer()
        for number in range(len(self.train_dataset)):
            with self.accelerator.autocast():
                loss = self.compute_loss(model, self._prepare_inputs(self.train_dataset[number]))
            self.accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            self._runtime.tell(number + 1, len(self.train_dataset), {})

    def evaluate(self, *arguments: Any, **named: Any) -> dict[str, float]:
        """The losses of the validation films, the classification's AUC, and what ``watch`` says of the model."""
        self._classes.clear()
        # Validation films are read from their pixels, whatever those of training are kept as.
        with from_pixels(self.accelerator.unwrap_model(self.model).vision):
            if self._watch is not None:
                self.model.eval()
                self._watched = {f"eval_{name}": value for name, value in self._watch().items()}
            metrics: dict[str, float] = super().evaluate(*arguments, **named)
        metrics.update(self._watched)
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add the parts of the loss to what is logged."""
        kind = "eval_" if "eval_loss" in logs else ""
        if kind or "loss" in logs:
            for name in [name for name in self._parts if name.startswith("eval_") == bool(kind)]:
                values = self._parts.pop(name)
                logs[name] = sum(values) / len(values)
        if kind:
            logs.update(self._watched)
            if self._classes:
                logits, truth = (torch.cat(tensors) for tensors in zip(*self._classes, strict=True))
                named = zip(self.accelerator.unwrap_model(self.model).config.labels, logits.T, truth.T, strict=True)
                areas = {name: auc(column.numpy(), known.numpy()) for name, column, known in named}
                logs |= {f"eval_auc {name}": area for name, area in areas.items() if not math.isnan(area)}
        super().log(logs, start_time)

    # What the Trainer would pickle.

    def _save(self, output_dir: str | None = None, state_dict: dict[str, torch.Tensor] | None = None) -> None:
        if self.args.should_save:
            self.accelerator.unwrap_model(self.model).save_pretrained(
                output_dir or self.args.output_dir, state_dict=state_dict
            )

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.args.should_save:
            return
        state = self.optimizer.state_dict()
        tensors = {f"{number}.{name}": value for number, kept in state["state"].items() for name, value in kept.items()}
        _write_tensors(Path(output_dir) / _OPTIMIZER, tensors)
        schedule = self.lr_scheduler.state_dict()
        record = {"groups": state["param_groups"], "schedule": {"last_epoch": schedule["last_epoch"]}}
        (Path(output_dir) / _SCHEDULE).write_text(json.dumps(record) + "\n", encoding="utf-8")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        record = _read_json(Path(checkpoint) / _SCHEDULE)
        kept: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in _read_tensors(Path(checkpoint) / _OPTIMIZER).items():
            number, _, name = key.partition(".")
            kept.setdefault(int(number), {})[name] = value
        self.optimizer.load_state_dict({"state": kept, "param_groups": record["groups"]})
        last = int(record["schedule"]["last_epoch"])
        rates = [group["lr"] for group in record["groups"]]
        state = {**self.lr_scheduler.state_dict(), "last_epoch": last, "_step_count": last + 1, "_last_lr": rates}
        self.lr_scheduler.load_state_dict(state)

    def _save_rng_state(self, output_dir: str) -> None:
        states = {"cpu": torch.get_rng_state()}
        if torch.cuda.is_available():
            states["cuda"] = torch.cuda.get_rng_state()
        _write_tensors(Path(output_dir) / f"{self.args.process_index}-{_RANDOM}", states)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        path = Path(checkpoint or "") / f"{self.args.process_index}-{_RANDOM}"
        # Continued with more processes than it began with, a new process has no state of its own.
        if checkpoint is None or not path.is_file():
            return
        states = _read_tensors(path)
        torch.set_rng_state(states["cpu"])
        if "cuda" in states and torch.cuda.is_available():
            torch.cuda.set_rng_state(states["cuda"])

    def _save_scaler(self, output_dir: str) -> None:
        """Nothing: bfloat16 needs no scaler, and float16 is not offered."""

    def _load_scaler(self, checkpoint: str | None) -> None:
        """Nothing, see ``_save_scaler``."""

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self._take(Path(resume_from_checkpoint), self.model if model is None else model)

    def _load_best_model(self) -> None:
        self._take(Path(self.state.best_model_checkpoint), self.model)

    def _take(self, checkpoint: Path, model: Any) -> None:
        stored = NeuralGraphModel.from_pretrained(checkpoint, device=self.args.device)
        self.accelerator.unwrap_model(model).load_state_dict(stored.state_dict())


class _Telling(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if self._runtime.stopped:
            control.should_save = control.should_training_stop = True
        latest = [item for line in state.log_history[-2:] for item in line.items()]
        known = {name: float(value) for name, value in latest if name.endswith("loss") or name in _TOLD}
        self._runtime.tell(state.global_step, state.max_steps, known)


def _looks(run: CrossAttention, labels: torch.Tensor, spoken: torch.Tensor, coverage: torch.Tensor) -> torch.Tensor:
    """How far the attention of a text is from where it should look: of each word, and of all together."""
    return guidance_loss(run, spoken, coverage) + score_loss(run, labels >= 0, spoken, coverage)


def _read_again(model: NeuralGraphModel, memory: torch.Tensor, labels: torch.Tensor) -> CrossAttention:
    """The scored attention of other texts over the same films."""
    with captured(model, chosen_layers(model, -1)) as runs:
        model.text.decoder(input_ids=model.text._shift_right(labels), encoder_hidden_states=memory, use_cache=False)
    return runs[-1]


def _only(items: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    (batch,) = items
    return batch


def _write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path.write_bytes(safetensors.torch.save({name: value.contiguous() for name, value in tensors.items()}))


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return safetensors.torch.load(path.read_bytes())
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            "the checkpoint is damaged; delete it to start again", code="E_MODEL", where=str(path)
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = parsed_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            "the checkpoint is damaged; delete it to start again", code="E_MODEL", where=str(path)
        ) from error
    return record
