"""Collections: folders or buckets of archives that grow, forget and answer, while others read them.

>>> from neuralgraph.collection import Collection, add, remove
>>> collection = Collection.create("hospital")  # doctest: +SKIP
>>> add(collection, ["night-1.ngr"])  # doctest: +SKIP
>>> remove(collection, ["study-17"])  # doctest: +SKIP

What counts is in the newest manifest (``neuralgraph.storage.manifest``); ``neuralgraph.open`` reads it and keeps to it.

- ``adding``: adding studies to a collection
- ``asking``: which studies of anything that opens answer a question
- ``card``: a data set card in Hugging Face's form, and Croissant metadata, from what a collection says of itself
- ``catalogued``: the catalogue of a collection: the tables of the archives that count, asked together
- ``checking``: verifying a collection
- ``collection``: a collection and its commits
- ``held``: an archive that a collection holds, open to be written again
- ``leftovers``: what a conversion into a collection may have left beside it, when a study of it is removed
- ``overview``: a collection at a glance, from its catalogue
- ``places``: where a collection lies: a folder, or a bucket that fsspec reaches
- ``receipts``: what a collection knows of a study that is not in its record
- ``removing``: removing studies: by id, by patient, or by what the catalogue says of them
- ``rewriting``: archives written again without some of their studies
- ``tidying``: keeping a collection in order
- ``writing``: new archives of a collection
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
