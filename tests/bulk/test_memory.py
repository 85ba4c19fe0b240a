import resource
import sys

import numpy as np
import pytest

from neuralgraph.bulk import ConversionSettings
from neuralgraph.bulk.memory import bounded_memory
from neuralgraph.errors import SourceError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bounds memory on Linux")


def test_within_and_beyond():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with bounded_memory(64):
        assert np.ones(2**20).sum() == 2**20
    with pytest.raises(SourceError, match="more memory") as caught, bounded_memory(64):
        np.ones(2**30)
    assert caught.value.code == "E_SOURCE_SIZE"
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    with bounded_memory(0):
        assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_one_film_too_large_costs_one_line(bench):
    from PIL import Image

    bench.fill(3)
    noise = np.random.default_rng(0).integers(0, 255, (5000, 5000), np.uint8)
    Image.fromarray(noise).save(bench.source / "large.png")
    outcome = bench.run(settings=ConversionSettings(memory_mib=96))
    assert (outcome.converted, outcome.failed, dict(outcome.reasons)) == (3, 1, {"E_SOURCE_SIZE": 1})
    # The bound decides what is read, not what is made: a folder goes on under another.
    assert ConversionSettings(memory_mib=0).record == ConversionSettings().record
