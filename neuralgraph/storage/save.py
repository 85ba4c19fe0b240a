"""Studies to files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import BytesIO
from typing import BinaryIO

from neuralgraph.codecs.codebook import Codebook
from neuralgraph.codecs.forms import Form
from neuralgraph.codecs.klt import Klt
from neuralgraph.codecs.registry import exact_form, interleaved_form
from neuralgraph.container.encode import encode_record
from neuralgraph.graph.study import Study
from neuralgraph.storage.atomic import atomic_file
from neuralgraph.storage.lossy import EXACT, form_named, prepared
from neuralgraph.storage.target import PROFILES, record_target

__all__ = ["EXACT", "PROFILES", "form_named", "save", "to_bytes"]


def save(
    study: Study | Iterable[Study],
    path: str | os.PathLike[str],
    *,
    embedding: str = EXACT,
    profile: str = "compact",
    codebook: Codebook | None = None,
) -> None:
    """Write one study, or several as one archive. Atomic; the same studies give the same bytes.

    Parameters
    ----------
    study : a study, or studies with different ids.
    path : the file to create or replace.
    embedding : how embeddings are stored. "exact" (default) loses nothing and takes half the bytes where the values fit
        16 bits; "float32", "bfloat16", "float16", "int8", "int4", "svd" and "klt" are explained in the codec book.
        "svd:0.06" is svd with a channel-normalised RMSE of at most 0.06 instead of 0.011. What a form loses is measured
        and put into the provenance of the stored study, as ``loss``.
    profile : one of ``PROFILES``.
    codebook : for "klt". The file of several studies holds it. The file of one does not: whoever reads it needs the
        codebook, from the folder of the model.

    Raises
    ------
    StudyError (E_FILTER, E_NUM, E_IDX) : unknown form, a value outside its range, or unknown profile.
    StudyError (E_DICT) : "klt" without its codebook, or another form with one.
    FormatError (E_SIZE) : embeddings of different widths, in a file to train from.
    FormatError (E_INDEX, E_DUP) : no study, or two with the same id.
    OutputError (E_OUTPUT, E_WRITE) : the file cannot be written.
    """
    form = form_named(embedding, codebook=codebook)
    with atomic_file(path) as stream:
        _write(study, stream, form, profile)


def to_bytes(
    study: Study | Iterable[Study],
    *,
    embedding: str = EXACT,
    profile: str = "compact",
    codebook: Codebook | None = None,
) -> bytes:
    """The bytes ``save`` would write; same parameters and errors."""
    stream = BytesIO()
    _write(study, stream, form_named(embedding, codebook=codebook), profile)
    return stream.getvalue()


def _write(study: Study | Iterable[Study], stream: BinaryIO, form: Form | None, profile: str) -> None:
    studies = [study] if isinstance(study, Study) else study
    train = profile == "train"
    with record_target(stream, profile=profile) as target:
        if isinstance(form, Klt) and form.codebook is not None and not isinstance(study, Study):
            target.add_codebook(form.codebook)
        for each in studies:
            chosen = form or exact_form(each.patches.embedding)
            stored, chosen = prepared(each, interleaved_form(chosen) if train else chosen)
            columns = stored.columns()
            record = encode_record(
                columns,
                embedding=chosen,
                concept_vectors=exact_form(columns.concept_vectors),
                store_embedding=train,
            )
            target.add(record, columns, study_id=each.study_id)
        target.finish()
