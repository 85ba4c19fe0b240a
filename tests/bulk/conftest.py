import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from neuralgraph.bulk import ConversionSettings, convert, make_plan
from neuralgraph.bulk.destination import Destination
from neuralgraph.bulk.pseudonyms import Pseudonyms
from neuralgraph.bulk.run import RunOptions
from neuralgraph.phantoms import phantom
from neuralgraph.sources.layouts import Roots, resolve_manifest

KEY = b"0123456789abcdef"
FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))


@pytest.fixture(scope="session")
def film():
    """The bytes of a small phantom as PNG."""
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(np.rint(phantom(3, height=64, width=64).pixels * 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


class Bench:
    """A source folder, a destination, and runs from one to the other."""

    def __init__(self, root, film):
        self.source, self.dest, self._film = root / "source", root / "dest", film
        self.source.mkdir()

    def add(self, name, report="Lungs are clear."):
        (self.source / f"{name}.png").write_bytes(self._film)
        (self.source / f"{name}.txt").write_text(report)

    def fill(self, count, report="Lungs are clear."):
        for number in range(count):
            self.add(f"Doe-Jane-{number:03d}", f"{report} {'Again. ' * (number % 5)}")

    def plan(self, *, shard=(1, 1), key=KEY, keep_ids=False):
        manifest = resolve_manifest(Roots(self.source))
        return make_plan(manifest, Pseudonyms(key), shard=shard, keep_ids=keep_ids)

    def run(self, dest=None, *, shard=(1, 1), key=KEY, settings=None, progress=None, stop=lambda: False, **options):
        options = replace(RunOptions(workers=1, command=FAKE), **options)
        return convert(
            self.plan(shard=shard, key=key),
            Destination(dest or self.dest, shard),
            settings or ConversionSettings(),
            options,
            progress=progress,
            stop=stop,
        )

    def files(self, dest=None):
        return {path.name: path.read_bytes() for path in sorted((dest or self.dest).glob("*.ngr"))}

    def study_id(self, name):
        return Pseudonyms(KEY)("study", f"{name}.png")


@pytest.fixture
def bench(tmp_path, film):
    return Bench(tmp_path, film)
