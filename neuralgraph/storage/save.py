"""Studies to files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from io import BytesIO
from typing import BinaryIO

from neuralgraph.codecs.forms import Form
from neuralgraph.codecs.registry import FORMS, exact_form, interleaved_form
from neuralgraph.container.encode import encode_record
from neuralgraph.container.writer import ContainerWriter
from neuralgraph.errors import StudyError
from neuralgraph.graph.study import Study
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.graph_section import GraphSectionWriter

__all__ = ["EXACT", "PROFILES", "check_profile", "form_named", "save", "to_bytes"]

EXACT = "exact"
"""The value of ``embedding=`` that chooses the smallest form without loss."""


PROFILES: tuple[str, ...] = ("compact", "train")
"""What a file is for. "compact" (default): small, to keep and to send. "train": embeddings as they will stand in a
batch, and a section from which loaders cut the graphs of whole batches; larger, many times faster to train from."""


def check_profile(profile: str) -> None:
    """Refuse what is not a profile.

    Raises
    ------
    StudyError (E_IDX) : ``profile`` is not one of ``PROFILES``.
    """
    if profile not in PROFILES:
        reason = f"{profile!r} is not a profile; use one of {', '.join(PROFILES)}"
        raise StudyError(reason, code="E_IDX", where="profile")


def form_named(name: str) -> Form | None:
    """The form of this name; None for ``EXACT``, which depends on the values.

    Raises
    ------
    StudyError (E_FILTER) : no form has this name.
    """
    if name == EXACT:
        return None
    if name not in FORMS:
        known = ", ".join([EXACT, *FORMS])
        raise StudyError(f"{name!r} is not an embedding form; use one of {known}", code="E_FILTER", where="embedding")
    return FORMS[name].form


def save(
    study: Study | Iterable[Study],
    path: str | os.PathLike[str],
    *,
    embedding: str = EXACT,
    profile: str = "compact",
) -> None:
    """Write one study, or several as one archive. Atomic; the same studies give the same bytes.

    Parameters
    ----------
    study : a study, or studies with different ids.
    path : the file to create or replace.
    embedding : how embeddings are stored. "exact" (default) loses nothing and takes half the bytes where the values fit
        16 bits; "float32", "bfloat16", "float16" and "int8" are explained in the codec book.
    profile : one of ``PROFILES``.

    Raises
    ------
    StudyError (E_FILTER, E_NUM, E_IDX) : unknown form, a value outside its range, or unknown profile.
    FormatError (E_SIZE) : embeddings of different widths, in a file to train from.
    FormatError (E_INDEX, E_DUP) : no study, or two with the same id.
    OutputError (E_OUTPUT, E_WRITE) : the file cannot be written.
    """
    check_profile(profile)
    form = form_named(embedding)
    studies = [study] if isinstance(study, Study) else study
    with atomic_file(path) as stream:
        _write(studies, stream, form, profile)


def to_bytes(study: Study | Iterable[Study], *, embedding: str = EXACT, profile: str = "compact") -> bytes:
    """The bytes ``save`` would write; same parameters and errors."""
    check_profile(profile)
    stream = BytesIO()
    _write([study] if isinstance(study, Study) else study, stream, form_named(embedding), profile)
    return stream.getvalue()


def _write(studies: Iterable[Study], stream: BinaryIO, form: Form | None, profile: str) -> None:
    train = profile == "train"
    with ExitStack() as resources:
        graphs = resources.enter_context(GraphSectionWriter()) if train else None
        writer = ContainerWriter(stream)
        for study in studies:
            columns = study.columns()
            chosen = form or exact_form(columns.embedding)
            record = encode_record(
                columns,
                embedding=interleaved_form(chosen) if train else chosen,
                concept_vectors=exact_form(columns.concept_vectors),
                store_embedding=train,
            )
            written = writer.add(record, study_id=study.study_id, method=columns.method)
            if graphs is not None:
                graphs.add(written, columns.graph, study_id=study.study_id)
        writer.finish(graphs.finish() if graphs else None)
