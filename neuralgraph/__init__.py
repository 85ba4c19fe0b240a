"""neuralgraph: a medical study as a compact, trustworthy graph.

>>> import neuralgraph as ng
>>> study = ng.load("a.ngr")  # doctest: +SKIP

The floors, bottom up: ``errors``; ``wire`` (integers, checksums, canonical maps); ``codecs``; ``container`` (the file)
and ``graph`` (the study), which do not know each other; ``storage``, where they meet; ``adapters`` and ``sources``;
``compressor``; ``cli``. Importing this package loads numpy, msgpack and zstandard, never torch.
"""

from typing import Any

from neuralgraph.codecs.codebook import Codebook, fit_codebook, load_codebook
from neuralgraph.errors import (
    ChecksumError,
    CodecError,
    FormatError,
    LimitError,
    MissingExtraError,
    ModelError,
    NeuralGraphError,
    OutputError,
    Problem,
    SourceError,
    StudyError,
    StudyNotFoundError,
)
from neuralgraph.graph.concepts import Concept
from neuralgraph.graph.showing import draw_with as _draw_with
from neuralgraph.graph.study import ConceptVectors, Patches, Study
from neuralgraph.graph.view import View
from neuralgraph.storage.archive import Archive, load, load_bytes
from neuralgraph.storage.opening import open_archive as open
from neuralgraph.storage.pack import pack, unpack
from neuralgraph.storage.save import save, to_bytes
from neuralgraph.storage.validate import Report, validate, validate_bytes
from neuralgraph.wire.limits import Limits

__version__ = "0.1.0"

__all__ = [
    "Archive",
    "ChecksumError",
    "Codebook",
    "CodecError",
    "Concept",
    "ConceptVectors",
    "FormatError",
    "LimitError",
    "Limits",
    "MissingExtraError",
    "ModelError",
    "NeuralGraphError",
    "OutputError",
    "Patches",
    "Problem",
    "Report",
    "SourceError",
    "Study",
    "StudyError",
    "StudyNotFoundError",
    "View",
    "__version__",
    "fit_codebook",
    "load",
    "load_bytes",
    "load_codebook",
    "open",
    "pack",
    "save",
    "to_bytes",
    "unpack",
    "validate",
    "validate_bytes",
]


def _draw(study: Study, **options: Any) -> Any:
    """How a study is drawn: floor 5 knows, and is loaded when it is asked to."""
    from neuralgraph.adapters.picture import draw_study

    return draw_study(study, **options)


_draw_with(_draw)
