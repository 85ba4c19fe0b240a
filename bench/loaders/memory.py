"""Private memory of one store in a process of its own: ``python -m bench.loaders.memory NAME FOLDER ORDER``.

A forked process would count what it takes over from its parent and touches, were it only to count references.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

BATCH = 64
"""Studies of a batch, in all measurements of loaders."""


def private_bytes() -> int:
    """Memory that is this process's own."""
    text = Path("/proc/self/smaps_rollup").read_text()
    rows = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
    return 1024 * (rows["Private_Clean"] + rows["Private_Dirty"])


def main() -> None:
    """Print the largest growth, bytes, while the store is opened and the studies of a .npy file are read in batches."""
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
    before = private_bytes()
    store.open()
    largest = private_bytes() - before
    for _ in store.batches(numbers, BATCH):
        largest = max(largest, private_bytes() - before)
    print(largest)


if __name__ == "__main__":
    main()
