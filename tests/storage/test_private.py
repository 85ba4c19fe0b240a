import os
import stat

import pytest

from neuralgraph.storage.private import owner_only


@pytest.mark.skipif(not hasattr(os, "fchmod"), reason="the system has no such bits")
def test_nobody_else_reads_it(tmp_path):
    path = tmp_path / "names.csv"
    path.touch(0o644)
    with path.open("wb") as stream:
        owner_only(stream)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
