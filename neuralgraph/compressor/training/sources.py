"""Films of several sources for one run: which films, prepared how, and how often each source is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.training.examples import Prepared
from neuralgraph.compressor.training.manifest_films import ManifestTask, manifest_tasks, prepare_row
from neuralgraph.compressor.training.nih_films import MARKED, NORMAL, nih_rows
from neuralgraph.compressor.training.phantom_films import PhantomTask, phantom_tasks, prepare_phantom

__all__ = ["Task", "nih_and_phantoms", "prepare_task"]

Task = ManifestTask | PhantomTask
"""What becomes films."""


def prepare_task(task: Task) -> list[Prepared]:
    """The films of a task of any source."""
    return prepare_phantom(task) if isinstance(task, PhantomTask) else prepare_row(task)


_TEXTS = 4
"""Texts of other words for each marked film."""


def nih_and_phantoms(folder: Path, phantoms: int, preprocessor: Preprocessor) -> Sequence[Task]:
    """The films of people that the bundled recipe learns from, and phantoms.

    Parameters
    ----------
    folder : of the marked films of ChestX-ray14 (see ``nih_films``).
    phantoms : patients.
    preprocessor : of the model.
    """
    marked, normal = nih_rows(folder, texts=_TEXTS)
    return [
        *manifest_tasks(marked, preprocessor, source=MARKED),
        *manifest_tasks(normal, preprocessor, source=NORMAL),
        *phantom_tasks(phantoms, preprocessor, side=min(512, preprocessor.max_side)),
    ]
