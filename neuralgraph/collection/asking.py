"""Which studies of anything that opens answer a question: by the catalogue of a collection, or by reading them all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from neuralgraph.access.places import Place
from neuralgraph.catalogue.database import Catalogue
from neuralgraph.collection.catalogued import find_ids
from neuralgraph.collection.collection import Collection
from neuralgraph.rows.columns import TABLES
from neuralgraph.storage.archive import Archive
from neuralgraph.storage.manifest import is_collection

__all__ = ["answering"]


def answering(
    archive: Archive, path: Place, question: str, *, split: Iterable[str] | None = None, generated: bool = False
) -> list[str]:
    """Ids of the studies that answer a question in words, in the order of ``split``, or of the archive.

    Parameters
    ----------
    archive : open.
    path : what it was opened from; the catalogue of a collection is asked, of anything else every study is read.
    question : as ``neuralgraph.catalogue.question`` reads it: "right effusion present, no tube".
    split : only these ids.
    generated : count what a model wrote as findings too.

    Raises
    ------
    StudyError (E_QUERY) : the question cannot be understood.
    MissingExtraError (E_EXTRA) : duckdb or pyarrow is not installed.
    """
    if isinstance(path, str | Path) and is_collection(path):
        found = set(find_ids(Collection(path), question, generated=generated))
    else:
        with Catalogue({table: archive.table(table) for table in TABLES}) as catalogue:
            found = set(catalogue.find(question, generated=generated))
    return [study_id for study_id in (archive.ids if split is None else split) if study_id in found]
