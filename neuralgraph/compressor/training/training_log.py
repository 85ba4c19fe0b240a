"""Losses and measures of a run while it runs, for a table or for TensorBoard."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from neuralgraph.errors import OutputError, missing_extra

__all__ = ["TrainingLog"]


class TrainingLog(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
    """Writes what is logged: step, name, value, one line each, to a .csv file; or events for TensorBoard to a folder.

    A run that is continued appends.

    Parameters
    ----------
    target : the file or the folder.

    Raises
    ------
    MissingExtraError : E_EXTRA when a folder is given and tensorboard is not installed.
    OutputError : E_OUTPUT when the file cannot be written.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._writer: Any = None
        if target.suffix == ".csv":
            self._append([] if target.is_file() else [("step", "name", "value")])
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise missing_extra("logs for TensorBoard", extra="vlm", library="tensorboard") from error
        self._writer = SummaryWriter(str(target))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        """Called by the Trainer with what it logs."""
        values = {name: value for name, value in (logs or {}).items() if isinstance(value, (int, float))}
        if self._writer is None:
            self._append([(state.global_step, name, value) for name, value in values.items()])
            return
        for name, value in values.items():
            self._writer.add_scalar(name, value, state.global_step)
        self._writer.flush()

    def _append(self, rows: list[tuple[Any, ...]]) -> None:
        try:
            with self._target.open("a", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows(rows)
        except OSError as error:
            raise OutputError(
                f"the log cannot be written ({error.strerror})", code="E_OUTPUT", where=str(self._target)
            ) from error
