"""Rivals that give one ``Data`` per study, collated by PyG: every store holds every attribute of ``to_data``.

Default settings and thin wrappers. ``torch.load`` is used with ``weights_only=False`` on files written a moment before,
because the default refuses ``Data`` objects; the package itself never loads such files.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Batch, Data, InMemoryDataset
from torch_geometric.data.database import SQLiteDatabase

ARRAYS = (
    "x",
    "edge_index",
    "edge_type",
    "node_type",
    "node_view",
    "pos",
    "attention",
    "fusion_edge_index",
    "y",
    "y_mask",
)
Graphs = list[Data]


def pack_graph(data: Data) -> bytes:
    """A graph as safetensors bytes."""
    from safetensors.torch import save

    facts = {"study_id": data.study_id, "concept_features": data.concept_features}
    return save({name: data[name].contiguous() for name in ARRAYS}, metadata=facts)


def unpack_graph(data: bytes) -> Data:
    """The graph of safetensors bytes."""
    from safetensors.torch import load

    length = int.from_bytes(data[:8], "little")
    facts = json.loads(data[8 : 8 + length])["__metadata__"]
    tensors = load(data)
    return Data(**tensors, num_nodes=len(tensors["x"]), **facts)


class Store:
    """A store of graphs: written once, then read by position."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, graphs: Graphs) -> None:
        """Write all graphs to ``folder``."""
        raise NotImplementedError

    def open(self) -> None:
        """Get ready to read, in this process."""

    def get(self, position: int) -> Data:
        """One graph."""
        raise NotImplementedError

    def batches(self, order: np.ndarray, size: int) -> Iterator[Any]:
        """Batches in this order."""
        for start in range(0, len(order), size):
            yield Batch.from_data_list([self.get(i) for i in order[start : start + size].tolist()])

    def bytes(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


class TorchList(Store):
    """All graphs in one file, loaded into memory."""

    name = "torch.save list, in RAM"

    def write(self, graphs: Graphs) -> None:
        torch.save(graphs, self.folder / "list.pt")

    def open(self) -> None:
        self._graphs = torch.load(self.folder / "list.pt", weights_only=False)

    def get(self, position: int) -> Data:
        return self._graphs[position]


class TorchFiles(Store):
    """A file per graph."""

    name = "torch.save per file"

    def write(self, graphs: Graphs) -> None:
        for number, data in enumerate(graphs):
            torch.save(data, self.folder / f"{number}.pt")

    def get(self, position: int) -> Data:
        return torch.load(self.folder / f"{position}.pt", weights_only=False)


class InMemory(Store):
    """PyG's InMemoryDataset: one collated graph and slices."""

    name = "PyG InMemoryDataset"

    def write(self, graphs: Graphs) -> None:
        data, slices = InMemoryDataset.collate(graphs)
        torch.save((data.to_dict(), slices), self.folder / "data.pt")

    def open(self) -> None:
        data, slices = torch.load(self.folder / "data.pt", weights_only=False)
        dataset = InMemoryDataset()
        dataset.data, dataset.slices = Data.from_dict(data), slices
        dataset._data_list = None
        self._dataset = dataset

    def get(self, position: int) -> Data:
        self._dataset._data_list = None
        return self._dataset.get(position)


class OnDisk(Store):
    """The SQLite data base of PyG's OnDiskDataset, default schema."""

    name = "PyG OnDiskDataset (SQLite)"

    def write(self, graphs: Graphs) -> None:
        database = SQLiteDatabase(str(self.folder / "data.db"), name="graphs")
        database.multi_insert(range(len(graphs)), graphs, batch_size=256)
        database.close()

    def open(self) -> None:
        self._database = SQLiteDatabase(str(self.folder / "data.db"), name="graphs")

    def get(self, position: int) -> Data:
        return self._database.get(position)


class SafetensorsFiles(Store):
    """A safetensors file per graph."""

    name = "safetensors per file"

    def write(self, graphs: Graphs) -> None:
        for number, data in enumerate(graphs):
            (self.folder / f"{number}.safetensors").write_bytes(pack_graph(data))

    def get(self, position: int) -> Data:
        return unpack_graph((self.folder / f"{position}.safetensors").read_bytes())


class Lmdb(Store):
    """LMDB of safetensors."""

    name = "LMDB (safetensors values)"

    def write(self, graphs: Graphs) -> None:
        import lmdb

        environment = lmdb.open(str(self.folder / "db"), map_size=1 << 36)
        for start in range(0, len(graphs), 256):
            with environment.begin(write=True) as transaction:
                for number, data in enumerate(graphs[start : start + 256], start):
                    transaction.put(number.to_bytes(4, "big"), pack_graph(data))
        environment.close()

    def open(self) -> None:
        import lmdb

        if hasattr(self, "_environment"):
            # One process may not open it twice.
            self._environment.close()
        self._environment = lmdb.open(str(self.folder / "db"), readonly=True, lock=False, readahead=False)

    def get(self, position: int) -> Data:
        with self._environment.begin() as transaction:
            return unpack_graph(transaction.get(position.to_bytes(4, "big")))

    def bytes(self) -> int:
        # The map is sparse: what is allocated counts.
        return sum(path.stat().st_blocks * 512 for path in self.folder.rglob("*") if path.is_file())


class _Table(Store):
    """A table of binary values."""

    def rows(self, graphs: Graphs) -> Any:
        import pyarrow as pa

        return pa.table({"graph": pa.array([pack_graph(data) for data in graphs], pa.large_binary())})


class Arrow(_Table):
    """An Arrow IPC file, mapped."""

    name = "Arrow IPC, mapped"

    def write(self, graphs: Graphs) -> None:
        import pyarrow as pa

        table = self.rows(graphs)
        with pa.OSFile(str(self.folder / "a.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)

    def open(self) -> None:
        import pyarrow as pa

        self._column = pa.ipc.open_file(pa.memory_map(str(self.folder / "a.arrow"))).read_all()["graph"]

    def get(self, position: int) -> Data:
        return unpack_graph(self._column[position].as_py())


class Parquet(_Table):
    """A Parquet file, zstd, row groups of 64."""

    name = "Parquet (zstd, row groups of 64)"

    def write(self, graphs: Graphs) -> None:
        import pyarrow.parquet as pq

        pq.write_table(self.rows(graphs), self.folder / "a.parquet", row_group_size=64, compression="zstd")

    def open(self) -> None:
        import pyarrow.parquet as pq

        self._file = pq.ParquetFile(self.folder / "a.parquet")

    def get(self, position: int) -> Data:
        group, row = divmod(position, 64)
        return unpack_graph(self._file.read_row_group(group)["graph"][row].as_py())


class Lance(_Table):
    """A Lance data set."""

    name = "Lance"

    def write(self, graphs: Graphs) -> None:
        import lance

        lance.write_dataset(self.rows(graphs), str(self.folder / "a.lance"))

    def open(self) -> None:
        import lance

        self._dataset = lance.dataset(str(self.folder / "a.lance"))

    def get(self, position: int) -> Data:
        return unpack_graph(self._dataset.take([position])["graph"][0].as_py())

    def batches(self, order: np.ndarray, size: int) -> Iterator[Any]:
        for start in range(0, len(order), size):
            rows = self._dataset.take(order[start : start + size].tolist())["graph"]
            yield Batch.from_data_list([unpack_graph(row.as_py()) for row in rows])


class WebDataset(Store):
    """A WebDataset tar; it reads in file order only, so its epoch is not a shuffled one but for a buffer of 500."""

    name = "WebDataset tar (buffer of 500)"

    def write(self, graphs: Graphs) -> None:
        with tarfile.open(self.folder / "a.tar", "w") as archive:
            for number, data in enumerate(graphs):
                payload = pack_graph(data)
                entry = tarfile.TarInfo(f"{number:07d}.safetensors")
                entry.size = len(payload)
                archive.addfile(entry, io.BytesIO(payload))

    def batches(self, order: np.ndarray, size: int) -> Iterator[Any]:
        import webdataset as wds

        source = wds.WebDataset(str(self.folder / "a.tar"), shardshuffle=False).shuffle(500)
        graphs: Graphs = []
        for number, sample in enumerate(source):
            graphs.append(unpack_graph(sample["safetensors"]))
            if len(graphs) == size:
                yield Batch.from_data_list(graphs)
                graphs = []
            if number + 1 >= len(order):
                break


class Zarr(Store):
    """Zarr v3: one ragged array of ``x`` in chunks of 64 rows and shards; the small arrays as one binary row each."""

    name = "Zarr v3, sharded"

    def write(self, graphs: Graphs) -> None:
        import zarr

        sizes = [data.num_nodes for data in graphs]
        root = zarr.open_group(str(self.folder / "a.zarr"), mode="w")
        x = np.concatenate([data.x.numpy() for data in graphs])
        array = root.create_array("x", shape=x.shape, chunks=(64, x.shape[1]), shards=(64 * 64, x.shape[1]), dtype="f4")
        array[:] = x
        small = [pack_graph(_without_x(data)) for data in graphs]
        pool = np.frombuffer(b"".join(small), np.uint8)
        root.create_array("small", shape=pool.shape, chunks=(1 << 16,), dtype="u1")[:] = pool
        for name, values in (("node_end", np.cumsum(sizes)), ("small_end", np.cumsum([len(each) for each in small]))):
            root.create_array(name, shape=values.shape, chunks=values.shape, dtype="i8")[:] = values

    def open(self) -> None:
        import zarr

        root = zarr.open_group(str(self.folder / "a.zarr"), mode="r")
        self._x, self._small = root["x"], root["small"]
        self._nodes, self._ends = (np.append(0, root[name][:]) for name in ("node_end", "small_end"))

    def get(self, position: int) -> Data:
        data = unpack_graph(self._small[self._ends[position] : self._ends[position + 1]].tobytes())
        data.x = torch.from_numpy(self._x[self._nodes[position] : self._nodes[position + 1]])
        data.num_nodes = len(data.x)
        return data


def _without_x(data: Data) -> Data:
    other = Data(**data.to_dict())
    other.x = torch.empty(0, 0)
    return other


STORES: Sequence[type[Store]] = (
    TorchList, TorchFiles, InMemory, OnDisk, SafetensorsFiles, Lmdb, Arrow, Parquet, Lance, WebDataset, Zarr,
)  # fmt: skip
