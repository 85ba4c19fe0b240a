"""Losses and measures of a run while it runs, as a table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from neuralgraph.errors import OutputError

__all__ = ["TrainingLog"]


class TrainingLog(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
    """Writes what is logged to a .csv file: step, name, value, one line each.

    A run that is continued appends.

    Parameters
    ----------
    target : the file.

    Raises
    ------
    OutputError (E_OUTPUT) : it is no .csv file, or cannot be written.
    """

    def __init__(self, target: Path) -> None:
        if target.suffix != ".csv":
            raise OutputError("the log is a .csv file", code="E_OUTPUT", where=str(target))
        self._target = target
        self._append([] if target.is_file() else [("step", "name", "value")])

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ARG002
        """Called by the Trainer with what it logs."""
        values = {name: value for name, value in (logs or {}).items() if isinstance(value, (int, float))}
        self._append([(state.global_step, name, value) for name, value in values.items()])

    def _append(self, rows: list[tuple[Any, ...]]) -> None:
        try:
            with self._target.open("a", encoding="utf-8", newline="") as stream:
                csv.writer(stream).writerows(rows)
        except OSError as error:
            raise OutputError(
                f"the log cannot be written ({error.strerror})", code="E_OUTPUT", where=str(self._target)
            ) from error
