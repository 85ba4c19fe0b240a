"""Studies for PyTorch Geometric: single graphs, data sets, and whole batches straight from archives.

``graphs`` turns a study into ``Data`` or ``HeteroData``; ``StudyDataset`` is a data set of them, one study at a time;
``ArchiveLoader`` yields whole batches without making a graph per study; ``StudyDatabase`` and ``ArchiveDataset`` let
``OnDiskDataset`` read an archive.

- ``batch``: arrays of whole batches as ``Batch`` objects, equal to what ``Batch.from_data_list`` makes of single
  graphs
- ``database``: an archive as a PyG ``Database``, so that ``OnDiskDataset`` reads it
- ``dataset``: the studies of an archive as a PyTorch Geometric data set
- ``graphs``: a study as PyTorch Geometric data: one homogeneous graph, or one heterogeneous graph
- ``loader``: whole batches straight from an archive, without a Python object per study and without collating
"""

from neuralgraph.errors import missing_extra

try:
    import torch_geometric  # noqa: F401  the extra is named before anything below needs it
except ImportError as error:
    raise missing_extra("PyTorch Geometric data", extra="pyg", library=error.name or "torch_geometric") from error

from neuralgraph.adapters.pyg.batch import Batcher
from neuralgraph.adapters.pyg.database import ArchiveDataset, StudyDatabase
from neuralgraph.adapters.pyg.dataset import StudyDataset
from neuralgraph.adapters.pyg.graphs import EDGE_TYPES, HETERO_EDGE_TYPES, NODE_TYPES, to_data, to_hetero_data
from neuralgraph.adapters.pyg.loader import ArchiveLoader
from neuralgraph.batches.features import CONCEPT_FEATURES, FEATURISER
from neuralgraph.batches.targets import UNCERTAIN

__all__ = [
    "CONCEPT_FEATURES",
    "EDGE_TYPES",
    "FEATURISER",
    "HETERO_EDGE_TYPES",
    "NODE_TYPES",
    "UNCERTAIN",
    "ArchiveDataset",
    "ArchiveLoader",
    "Batcher",
    "StudyDatabase",
    "StudyDataset",
    "to_data",
    "to_hetero_data",
]
