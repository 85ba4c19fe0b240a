"""The fairest rivals: ragged arrays in a plain file, and a reader written by hand that fills whole batches directly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Data

from bench.loaders.stores import ARRAYS, Graphs, Store
from neuralgraph.adapters.pyg.batch import _homogeneous_batch
from neuralgraph.batches.arrays import GraphBatch, starts

_OF_NODES = ("x", "node_type", "node_view", "pos", "attention")


def ragged(start: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Row numbers of runs: ``start[0]``, ``start[0] + 1``, ..., ``count[0]`` of them, then those of the next run."""
    end = count.cumsum()
    rows = np.arange(end[-1] if len(end) else 0)
    rows += (start - (end - count)).repeat(count)
    return rows


def ragged_arrays(graphs: Graphs) -> dict[str, np.ndarray]:
    """All graphs as arrays; edges as [E, 2]."""
    arrays = {
        name: np.concatenate([data[name].numpy() for data in graphs])
        for name in (*_OF_NODES, "edge_type", "y", "y_mask")
    }
    for name in ("edge_index", "fusion_edge_index"):
        arrays[name] = np.ascontiguousarray(np.concatenate([data[name].numpy() for data in graphs], axis=1).T)
    arrays["node_start"] = starts(np.array([data.num_nodes for data in graphs]))
    arrays["pair_start"] = starts(np.array([data.num_edges for data in graphs]))
    arrays["fusion_start"] = starts(np.array([data.fusion_edge_index.shape[1] for data in graphs]))
    arrays["study_id"] = np.array([data.study_id.encode() for data in graphs])
    return arrays


class RaggedSafetensors(Store):
    """One safetensors file of ragged arrays, mapped, without checksums."""

    name = "safetensors, ragged, direct reader"

    def write(self, graphs: Graphs) -> None:
        from safetensors.numpy import save_file

        arrays = ragged_arrays(graphs)
        arrays["study_id"] = np.frombuffer(arrays["study_id"].tobytes(), np.uint8).reshape(len(graphs), -1).copy()
        save_file(arrays, self.folder / "a.safetensors")

    def open(self) -> None:
        import json

        path = self.folder / "a.safetensors"
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            head = json.loads(stream.read(length))
        whole = np.memmap(path, np.uint8, "r", 8 + length)
        kinds = {"F32": "f4", "I64": "i8", "BOOL": "?", "U8": "u1"}
        self.arrays = {
            name: whole[slice(*row["data_offsets"])].view(kinds[row["dtype"]]).reshape(row["shape"])
            for name, row in head.items()
            if name != "__metadata__"
        }

    def study_ids(self, order: np.ndarray) -> list[str]:
        return [row.tobytes().rstrip(b"\0").decode() for row in self.arrays["study_id"][order]]

    def rows_of_x(self, order: np.ndarray, first: np.ndarray, x: np.ndarray) -> None:
        begin, end = self.arrays["node_start"][order].tolist(), self.arrays["node_start"][order + 1].tolist()
        for start, stop, row in zip(begin, end, first.tolist(), strict=True):
            x[row : row + stop - start] = self.arrays["x"][start:stop]

    def take(self, name: str, rows: np.ndarray) -> np.ndarray:
        return self.arrays[name].take(rows, axis=0)

    def batches(self, order: np.ndarray, size: int) -> Iterator[Any]:
        for at in range(0, len(order), size):
            yield self.batch(order[at : at + size])

    def batch(self, order: np.ndarray) -> Any:
        counts = {
            name: self.arrays[name][order + 1] - self.arrays[name][order]
            for name in ("node_start", "pair_start", "fusion_start")
        }
        begin = {name: starts(count) for name, count in counts.items()}
        rows = {name: ragged(self.arrays[name][order], count) for name, count in counts.items()}
        first = begin["node_start"][:-1]
        x = torch.empty(int(begin["node_start"][-1]), self.arrays["x"].shape[1])
        self.rows_of_x(order, first, x.numpy())
        tensors = {"x": x}
        for name in ARRAYS:
            if name in _OF_NODES[1:]:
                tensors[name] = torch.from_numpy(self.take(name, rows["node_start"]))
            elif name == "edge_type":
                tensors[name] = torch.from_numpy(self.take(name, rows["pair_start"]))
            elif name in ("y", "y_mask"):
                tensors[name] = torch.from_numpy(self.take(name, order))
        for name, owner in (("edge_index", "pair_start"), ("fusion_edge_index", "fusion_start")):
            moved = self.take(name, rows[owner]).T + np.repeat(first, counts[owner])
            tensors[name] = torch.from_numpy(np.ascontiguousarray(moved))
        graph = np.repeat(np.arange(len(order)), counts["node_start"])
        ids = self.study_ids(order)
        origins = ["hash-1"] * len(order)
        made = GraphBatch(
            {},
            begin["node_start"],
            begin["pair_start"],
            begin["fusion_start"],
            graph,
            origins,
            ids,
        )
        return _homogeneous_batch(tensors, made)

    def get(self, position: int) -> Data:
        return self.batch(np.array([position])).get_example(0)


class RaggedHdf5(RaggedSafetensors):
    """The same arrays in HDF5; the small ones are read into memory when it is opened."""

    name = "HDF5, ragged, direct reader"

    def write(self, graphs: Graphs) -> None:
        import h5py

        with h5py.File(self.folder / "a.h5", "w") as file:
            for name, values in ragged_arrays(graphs).items():
                file[name] = values

    def open(self) -> None:
        import h5py

        self._file = h5py.File(self.folder / "a.h5", "r")
        self._x = self._file["x"]
        self.arrays = {name: self._file[name][:] for name in self._file if name != "x"}
        self.arrays["x"] = np.empty((0, self._x.shape[1]), np.float32)

    def study_ids(self, order: np.ndarray) -> list[str]:
        return [each.decode() for each in self.arrays["study_id"][order]]

    def rows_of_x(self, order: np.ndarray, first: np.ndarray, x: np.ndarray) -> None:
        begin, end = self.arrays["node_start"][order].tolist(), self.arrays["node_start"][order + 1].tolist()
        for start, stop, row in zip(begin, end, first.tolist(), strict=True):
            self._x.read_direct(x, np.s_[start:stop], np.s_[row : row + stop - start])


DIRECT = (RaggedSafetensors, RaggedHdf5)
