"""Convert a folder of films and reports, look at what failed, and continue after repairing it.

    python examples/convert_folder.py OUT

What ``ngr convert FILMS STUDIES --key-file site.key`` does, with its exit codes and the list of failures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from neuralgraph.phantoms import phantom

SIDE = 256


def make_films(folder: Path, count: int) -> None:
    """Synthetic films and reports, and one file that is no film."""
    folder.mkdir(parents=True)
    for seed in range(count):
        made = phantom(seed, height=SIDE, width=SIDE)
        Image.fromarray(np.rint(made.pixels * 255).astype(np.uint8)).save(folder / f"film-{seed}.png")
        (folder / f"film-{seed}.txt").write_text(made.report, encoding="utf-8")
    (folder / "broken.png").write_bytes(b"not a picture")


def convert(films: Path, studies: Path, key: Path, failures: Path) -> int:
    """Exit code of the conversion: 0 all converted, 1 some failed."""
    command = [sys.executable, "-m", "neuralgraph", "convert", str(films), str(studies)]
    options = ["--layout", "folder", "--key-file", str(key), "--workers", "1", "--failures", str(failures)]
    return subprocess.run([*command, *options], check=False).returncode


def main(folder: Path) -> tuple[int, int, list[dict]]:
    """Convert twice; exit codes of both runs and the failures of the first."""
    films, studies, failures = folder / "films", folder / "studies", folder / "failures.jsonl"
    key = folder / "site.key"
    make_films(films, 3)
    # The key makes pseudonyms; keep it as you would keep a password. This one is for the example only.
    key.write_bytes(b"example key, not a secret at all")
    first = convert(films, studies, key, failures)
    failed = [json.loads(line) for line in failures.read_text(encoding="utf-8").splitlines()]
    for failure in failed:
        print(failure)
    (films / "broken.png").unlink()
    second = convert(films, studies, key, folder / "failures-2.jsonl")
    return first, second, failed


if __name__ == "__main__":
    main(Path(sys.argv[1]))
