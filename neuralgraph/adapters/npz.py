"""A study as a NumPy archive that ``numpy.load`` reads as it is, without ``allow_pickle``.

It holds the arrays of ``neuralgraph.graph.plain`` by their names, and ``facts``, a text whose JSON holds its facts:
``json.loads(str(archive["facts"]))``.
"""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np

from neuralgraph.graph.plain import study_arrays, study_facts
from neuralgraph.graph.study import Study
from neuralgraph.wire.npz import write_npz

__all__ = ["to_npz"]


def to_npz(study: Study) -> bytes:
    """The archive, not compressed; equal studies give equal bytes.

    Raises
    ------
    StudyError (E_TOC_KEY) : see ``neuralgraph.graph.plain.study_facts``.
    """
    # Escaped to ASCII: NumPy drops zero characters at the end of a text, and ASCII JSON has none.
    facts = json.dumps(study_facts(study), ensure_ascii=True, allow_nan=False, sort_keys=True)
    members = {**study_arrays(study), "facts": np.array(facts, f"<U{len(facts)}")}
    archive = BytesIO()
    write_npz(archive, members.items())
    return archive.getvalue()
