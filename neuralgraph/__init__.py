"""neuralgraph: a medical study as a compact, trustworthy graph.

>>> import neuralgraph as ng
>>> study = ng.load("a.ngr")  # doctest: +SKIP

What this package offers is imported when it is first asked for, which loads numpy, msgpack and zstandard, never torch.
Its rooms, bottom up (CONTRIBUTING.md says which may know which):

- ``errors``: every exception, with stable codes
- ``late``: names of a package that are imported when they are asked for
- ``wire``: limits, integers, checksums, canonical maps, the columns of a record
- ``codecs``: arrays to bytes and back, as pure functions
- ``container``: the layout of a file
- ``graph``: the study as a typed graph
- ``access``: the bytes of a file, wherever it lies
- ``storage``: where layout and study meet: load, save, open, pack, unpack, validate
- ``rows``: what tables say of a study
- ``batches``: the training graph, as arrays of batches
- ``catalogue``: tables about studies, questions to them, and overviews
- ``collection``: archives that grow and forget
- ``adapters``: a study in the terms of other libraries
- ``sources``: films, reports and data sets as people have them
- ``migration``: graphs of the published code
- ``phantoms``: made films with their truth
- ``compressor``: film and report to study
- ``bulk``: many studies: plan, run, resume
- ``serving``: a collection over HTTP, to be read
- ``pacs``: films out of a picture archive, studies back into it
- ``sizes``: a film in every coding
- ``tasks``: downstream models, their training and scores
- ``cli``: the command ``ngr``
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuralgraph.errors import (
    VERSION,
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
from neuralgraph.late import late

if TYPE_CHECKING:
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
else:
    __getattr__ = late(
        __name__,
        {
            "Archive": "storage.archive.Archive",
            "Concept": "graph.concepts.Concept",
            "ConceptVectors": "graph.patches.ConceptVectors",
            "Limits": "wire.limits.Limits",
            "Mention": "graph.concepts.Mention",
            "Patches": "graph.patches.Patches",
            "Study": "graph.study.Study",
            "ValidationResult": "storage.validate.ValidationResult",
            "View": "graph.view.View",
            "load": "storage.archive.load",
            "load_bytes": "storage.archive.load_bytes",
            "open": "storage.opening.open_archive",
            "pack": "storage.pack.pack",
            "save": "storage.save.save",
            "to_bytes": "storage.save.to_bytes",
            "unpack": "storage.pack.unpack",
            "validate": "storage.validate.validate",
            "validate_bytes": "storage.validate.validate_bytes",
        },
    )

__version__ = VERSION

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
    "show",
    "to_bytes",
    "unpack",
    "validate",
    "validate_bytes",
]


def __dir__() -> list[str]:
    """What there is, imported already or not."""
    return sorted({*globals(), *__all__})


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


def show(
    what: Any, *, where: str | None = None, images: Any = None, size: int = 24, page: int = 1, generated: bool = False
) -> Any:
    """Studies side by side in a notebook: attention, kept patches, labels and findings, under ids to copy.

    What is shown is saved with the notebook, films included: share it as you share them. It loads nothing from
    anywhere.

    Parameters
    ----------
    what : an open ``Archive``, or what ``open`` takes: a file, an archive, a folder, a collection, a URL.
    where : only studies that answer this question, "right effusion present, no tube", as for ``ngr find``; of a
        collection its catalogue is asked, of anything else every study is read.
    images : a folder of the films, found as by ``ngr view --images``; or a function of study id and view that gives
        float32 [height, width] in 0..1, or None. A film that cannot be read is left out of its place.
    size : studies on a page, at most 96.
    page : which page, from 1.
    generated : with ``where``, count what a model wrote as findings too.

    Returns
    -------
    neuralgraph.adapters.picture.Gallery : which a notebook shows; ``.ids`` are those of all pages, ``.page(2)`` is
        another page, ``.studies`` are those of this one.

    Raises
    ------
    StudyError (E_QUERY, E_IDX) : the question cannot be understood; there is no such page.
    MissingExtraError (E_EXTRA) : ``where`` needs the extra ``catalog``, ``images`` the extra ``plot`` and, of DICOM,
        ``dicom``.
    FormatError, SourceError : studies or the folder of films cannot be read.
    """
    from neuralgraph.bulk.gallery import gallery_of

    return gallery_of(what, where=where, images=images, size=size, page=page, generated=generated)
