from __future__ import annotations

from io import BytesIO

import numpy as np

from neuralgraph.wire.npz import write_npz


def written(members):
    stream = BytesIO()
    write_npz(stream, members)
    return stream.getvalue()


def test_numpy_reads_them_and_the_same_arrays_give_the_same_bytes():
    members = [("0/x", np.arange(6, dtype=np.float32).reshape(2, 3)), ("said", np.array("é"))]
    content = written(members)
    assert content == written(iter(members))
    with np.load(BytesIO(content), allow_pickle=False) as held:
        assert held.files == ["0/x", "said"]
        assert held["0/x"].dtype == np.float32
        assert held["0/x"].tolist() == members[0][1].tolist()
        assert str(held["said"]) == "é"
