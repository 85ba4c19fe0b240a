"""A study as a safetensors file: arrays as tensors, everything else as one text of its metadata.

The tensors are the arrays of ``neuralgraph.graph.plain``; the metadata member ``neuralgraph`` holds its facts as JSON.
"""

from __future__ import annotations

from neuralgraph.errors import missing_extra
from neuralgraph.graph.plain import study_arrays, study_facts
from neuralgraph.graph.study import Study
from neuralgraph.wire.escapes import escaped_json

try:
    from safetensors.numpy import save
except ImportError as error:
    raise missing_extra("safetensors export", extra="vlm", library=error.name or "safetensors") from error

__all__ = ["METADATA", "to_safetensors"]

METADATA = "neuralgraph"
"""The one metadata member. A second one would come in an order that differs from run to run."""


def to_safetensors(study: Study) -> bytes:
    """The file; equal studies give equal bytes.

    Raises
    ------
    StudyError (E_TOC_KEY) : see ``neuralgraph.graph.plain.study_facts``.
    """
    facts = escaped_json(study_facts(study), allow_nan=False, sort_keys=True, separators=(",", ":"))
    return bytes(save(study_arrays(study), metadata={METADATA: facts}))
