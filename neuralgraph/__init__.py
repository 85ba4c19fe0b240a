"""neuralgraph: a medical study as a compact, trustworthy graph.

>>> import neuralgraph as ng
>>> study = ng.load("a.ngr")  # doctest: +SKIP

The floors, bottom up: ``errors``; ``wire`` (integers, checksums, canonical maps); ``codecs``; ``container`` (the file)
and ``graph`` (the study), which do not know each other; ``storage``, where they meet; ``adapters`` and ``sources``;
``compressor``; ``cli``. Importing this package loads numpy, msgpack and zstandard, never torch.
"""

from typing import Any

from neuralgraph.errors import (
    ChecksumError,
    CodecError,
    CollectionError,
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
from neuralgraph.graph.concepts import Concept, Mention
from neuralgraph.graph.patches import ConceptVectors, Patches
from neuralgraph.graph.study import Study
from neuralgraph.graph.view import View
from neuralgraph.storage.archive import Archive, load, load_bytes
from neuralgraph.storage.opening import open_archive as open
from neuralgraph.storage.pack import pack, unpack
from neuralgraph.storage.save import save, to_bytes
from neuralgraph.storage.validate import ValidationResult, validate, validate_bytes
from neuralgraph.wire.limits import Limits

__version__ = "0.1.0"

__all__ = [
    "Archive",
    "ChecksumError",
    "CodecError",
    "CollectionError",
    "Concept",
    "ConceptVectors",
    "FormatError",
    "LimitError",
    "Limits",
    "Mention",
    "MissingExtraError",
    "ModelError",
    "NeuralGraphError",
    "OutputError",
    "Patches",
    "Problem",
    "SourceError",
    "Study",
    "StudyError",
    "StudyNotFoundError",
    "ValidationResult",
    "View",
    "__version__",
    "load",
    "load_bytes",
    "open",
    "pack",
    "plot",
    "save",
    "to_bytes",
    "unpack",
    "validate",
    "validate_bytes",
]


def plot(study: Study, *, ax: Any = None, **options: Any) -> Any:
    """Draw a study: film and attention beside the graph of the report; or its film alone into axes of your own.

    Parameters
    ----------
    study : the study.
    ax : matplotlib Axes to draw the film into. Nothing of pyplot is touched, with or without.
    options : ``image``, ``view``, ``values`` and ``label``, and without ``ax`` also ``sizes`` and ``sentences``, as for
        ``neuralgraph.adapters.picture.draw_study``. ``values`` are numbers of your own, one for each kept patch, node
        or cell, drawn in place of the attention.

    Returns
    -------
    ``ax``; without it a matplotlib Figure, which a notebook shows.

    Raises
    ------
    MissingExtraError (E_EXTRA) : matplotlib is not installed; it is in the extra ``plot``.
    SourceError, StudyError : image, view or values are not this study's.
    """
    from neuralgraph.adapters.picture import draw_study, draw_study_into

    return draw_study(study, **options) if ax is None else draw_study_into(ax, study, **options)
