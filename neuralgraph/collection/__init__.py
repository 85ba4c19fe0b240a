"""Collections: folders or buckets of archives that grow, forget and answer, while others read them.

>>> from neuralgraph.collection import Collection, add, remove
>>> collection = Collection.create("hospital")  # doctest: +SKIP
>>> add(collection, ["night-1.ngr"])  # doctest: +SKIP
>>> remove(collection, ["study-17"])  # doctest: +SKIP

What counts is in the newest manifest (``neuralgraph.storage.manifest``); ``neuralgraph.open`` reads it and keeps to it.

``collection`` (its state, and the commits that change it) lies at one of ``places`` (a folder or a bucket). ``adding``,
``removing`` (and the ``leftovers`` of what is removed) and ``tidying`` (merging, deleting) are changes; they make new
archives by ``writing``, out of old ones by ``rewriting`` what ``held`` opens. ``receipts`` say what is known of studies
beside their records, ``catalogued`` asks their tables, ``asking`` anything that opens. ``checking`` verifies,
``overview`` counts, ``card`` describes it to others.
"""

from neuralgraph.collection.adding import Added, add
from neuralgraph.collection.catalogued import catalogue_of, find_ids
from neuralgraph.collection.checking import verify
from neuralgraph.collection.collection import Collection
from neuralgraph.collection.receipts import StudyReceipt
from neuralgraph.collection.removing import Removed, remove
from neuralgraph.collection.tidying import Vacuumed, compact, vacuum

__all__ = [
    "Added",
    "Collection",
    "Removed",
    "StudyReceipt",
    "Vacuumed",
    "add",
    "catalogue_of",
    "compact",
    "find_ids",
    "remove",
    "vacuum",
    "verify",
]
