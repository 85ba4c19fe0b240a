"""Add a column for another modality: a 3-D grid of patches of an MRI.

    python examples/volume_extension.py OUT

A volume is stored as what the format knows, one view per slab of slices, and an extension says how the views stand in
space. A reader that does not know the extension still sees patches, attention and embeddings, slab by slab.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgpack
import numpy as np

import neuralgraph as ng

NAME = "x.org.example.volume"
SLABS, ROWS, COLS, PATCH, KEPT, WIDTH = 4, 6, 6, 16, 12, 8


def volume(seed: int = 0) -> ng.Study:
    """A synthetic volume: a bright ball in a dim field; embeddings are noise."""
    random = np.random.default_rng(seed)
    z, y, x = np.mgrid[0:SLABS, 0:ROWS, 0:COLS]
    distance = np.sqrt(2 * (z - 1) ** 2 + (y - 2) ** 2 + (x - 3) ** 2)
    attention = np.exp(-distance) + 0.01 * random.random(distance.shape)
    views = tuple(
        ng.View.from_scores(
            slab.astype(np.float32), height=ROWS * PATCH, width=COLS * PATCH, patch_height=PATCH, patch_width=PATCH
        )
        for slab in attention
    )
    flat = np.concatenate([view.attention.ravel() for view in views])
    order = np.argsort(-flat, kind="stable")[:KEPT]
    slab, cell = np.divmod(order, ROWS * COLS)
    embedding = random.normal(size=(KEPT, WIDTH)).astype(np.float16)
    patches = ng.Patches(cell // COLS, cell % COLS, flat[order], embedding, slab)
    # Only sizes: no date, no device, no position in the scanner's room enters the file.
    payload = msgpack.packb({"axis": "axial", "slab_mm": 12.0, "pixel_mm": [0.9, 0.9], "slabs": list(range(SLABS))})
    return ng.Study(f"volume-{seed}", views, patches, extensions={NAME: payload})


def patch_centres(study: ng.Study) -> np.ndarray:
    """Centres of the kept patches, float64 [n, 3]: z, y, x in millimetres from the corner of the volume."""
    space = msgpack.unpackb(study.extensions[NAME])
    height, width = space["pixel_mm"]
    slab = np.array(space["slabs"])[study.patches.view]
    view = study.views[0]
    return np.stack(
        [
            (slab + 0.5) * space["slab_mm"],
            (study.patches.row + 0.5) * view.patch_height * height,
            (study.patches.col + 0.5) * view.patch_width * width,
        ],
        axis=1,
    )


def main(folder: Path) -> ng.Study:
    """Write a volume, read it, and say where its brightest patch is."""
    folder.mkdir(parents=True, exist_ok=True)
    ng.save(volume(), folder / "volume.ngr", embedding="float16")
    read = ng.load(folder / "volume.ngr")
    z, y, x = patch_centres(read)[0]
    print(f"{len(read.views)} slabs, brightest patch at z {z:.0f}, y {y:.1f}, x {x:.1f} mm")
    return read


if __name__ == "__main__":
    main(Path(sys.argv[1]))
