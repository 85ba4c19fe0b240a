"""First lessons that were stopped, kept so that they go on as if they had not been: safetensors, nothing pickled."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from neuralgraph.errors import ModelError

__all__ = ["LESSON_STATE", "TrainingStopped", "keep_lessons", "take_lessons"]

LESSON_STATE = "first_lessons.safetensors"


class TrainingStopped(KeyboardInterrupt):
    """A run was stopped from outside and has left a checkpoint; the same call continues it.

    Parameters
    ----------
    step, steps : done, and in all.
    what : of what: updates, first lessons, or kept batches, which are computed again.
    """

    def __init__(self, step: int, steps: int, what: str = "updates") -> None:
        super().__init__(f"stopped after {step:,} of {steps:,} {what}")
        self.step, self.steps = step, steps


def keep_lessons(
    path: Path, step: int, parts: dict[str, nn.Module], optimizer: torch.optim.Optimizer, tail: list[tuple[float, ...]]
) -> None:
    """Write weights, optimizer, random state and the losses so far; aside first, then renamed.

    Parameters
    ----------
    path : the file.
    step : lessons that are done.
    parts : modules that learn, by name.
    optimizer : over their weights.
    tail : losses of every lesson so far.
    """
    tensors = {f"part/{name}/{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}
    for number, kept in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer/{number}/{name}": value for name, value in kept.items()}
    tensors["random"] = torch.get_rng_state()
    tensors["losses"] = torch.tensor(tail, dtype=torch.float64)
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    aside = path.with_suffix(".partial")
    aside.write_bytes(safetensors.torch.save(plain, {"step": json.dumps(step)}))
    aside.replace(path)


def take_lessons(
    path: Path, parts: dict[str, nn.Module], optimizer: torch.optim.Optimizer
) -> tuple[int, list[tuple[float, ...]]]:
    """Put back what ``keep_lessons`` wrote; (0, []) where nothing is kept.

    Raises
    ------
    ModelError (E_MODEL) : the file is damaged or of another model.
    """
    if not path.is_file():
        return 0, []
    try:
        with safetensors.safe_open(path, "pt") as file:
            step = int(json.loads(file.metadata()["step"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        for name, part in parts.items():
            own = f"part/{name}/"
            part.load_state_dict(
                {key.removeprefix(own): value for key, value in tensors.items() if key.startswith(own)}
            )
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer/"):
                _, number, name = key.split("/")
                state.setdefault(int(number), {})[name] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
        return step, [tuple(row) for row in tensors["losses"].tolist()]
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(
            "first lessons that were stopped cannot be continued; delete the file to start again",
            code="E_MODEL",
            where=str(path),
        ) from error
