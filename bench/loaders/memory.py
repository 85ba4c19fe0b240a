"""Memory of one store in a process of its own: ``python -m bench.loaders.memory NAME FOLDER ORDER``.

A forked process would count what it takes over from its parent and touches, were it only to count references.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 64
"""Studies of a batch, in all measurements of loaders."""


def memory_bytes() -> tuple[int, int]:
    """Memory that is this process's own, files it maps included; and memory that no file stands behind."""
    text = Path("/proc/self/smaps_rollup").read_text()
    rows = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return 1024 * (rows["Private_Clean"] + rows["Private_Dirty"]), 1024 * rows["Anonymous"]


def tensor_bytes(batch: Any) -> int:
    """Memory of the tensors of a batch."""
    import torch

    return sum(value.nbytes for value in batch.to_dict().values() if isinstance(value, torch.Tensor))


def main() -> None:
    """Print how memory grows while the store is opened and the studies of a .npy file are read in batches, as JSON.

    ``private``: the largest growth of private memory, bytes. ``above``: the largest growth of anonymous memory beyond
    the batch that was made last and the one before.
    """
    warnings.simplefilter("ignore")
    import torch

    from bench.loaders.direct import DIRECT
    from bench.loaders.ours import OURS
    from bench.loaders.stores import STORES

    name, folder, order = sys.argv[1:]
    torch.set_num_threads(1)
    (kind,) = (kind for kind in (*STORES, *DIRECT, *OURS) if kind.name == name)
    store, numbers = kind(Path(folder)), np.load(order)
    # What torch sets up for its first tensor is no store's.
    torch.empty(1 << 20).numpy().sum()
    private, anonymous = memory_bytes()
    store.open()
    largest, above, before = memory_bytes()[0] - private, 0, 0
    for batch in store.batches(numbers, BATCH):
        now = memory_bytes()
        held, before = before, tensor_bytes(batch)
        largest, above = max(largest, now[0] - private), max(above, now[1] - anonymous - held - before)
    print(json.dumps({"private": largest, "above": above}))


if __name__ == "__main__":
    main()
