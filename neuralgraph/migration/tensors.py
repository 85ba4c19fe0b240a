"""Tensors as arrays: numbers are copied out of a storage only after every index has been proven to lie inside it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuralgraph.errors import SourceError
from neuralgraph.migration.archive import TorchArchive
from neuralgraph.migration.values import Storage, Tensor

__all__ = ["MAX_DIMENSIONS", "TensorReader"]

MAX_DIMENSIONS = 4
"""Dimensions of a tensor."""

_LARGEST_EMPTY_SIDE = 2**16
_KEPT_STORAGES = 8
_ALLOWANCE = 2**20
_RATIO = 4


class TensorReader:
    """Copies tensors out of the storages of an archive.

    The copies of one reader may take 4 times the bytes of the file in all: files hold every number about once, and
    views that overlap must not turn a small file into a large memory.

    Parameters
    ----------
    archive : where the storages are.
    """

    def __init__(self, archive: TorchArchive) -> None:
        self._archive = archive
        self._storages: OrderedDict[str, tuple[Storage, NDArray[Any]]] = OrderedDict()
        self._budget = _RATIO * archive.size + _ALLOWANCE

    def array(self, tensor: Tensor, *, where: str) -> NDArray[Any]:
        """A C-contiguous copy of ``tensor``, little-endian; bfloat16 becomes float32, which holds it exactly.

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : the view reaches outside its storage, or the storage is missing, damaged or of
            another size.
        SourceError (E_SOURCE_SIZE) : more dimensions, or more bytes in all, than a reader gives.
        """
        storage, offset, size, stride = tensor
        if len(size) != len(stride) or min((0, offset, *size, *stride)) < 0:
            raise _damaged("a tensor has sizes or strides that cannot be", where)
        if len(size) > MAX_DIMENSIONS:
            raise _too_large(f"a tensor of more than {MAX_DIMENSIONS} dimensions", where)
        if 0 in size:
            if max(size) > _LARGEST_EMPTY_SIDE:
                raise _too_large("an empty tensor of absurd shape", where)
            return np.empty(size, _final_dtype(storage))
        count = 1
        for side in size:
            count *= side
        last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
        if last >= storage.n_values or count > storage.n_values:
            raise _damaged("a tensor reaches outside its storage", where)
        self._budget -= count * _final_dtype(storage).itemsize
        if self._budget < 0:
            raise _too_large(f"the tensors take more than {_RATIO} times the bytes of the file", where)
        values = self._values(storage, where)
        itemsize = storage.kind.itemsize
        view = np.lib.stride_tricks.as_strided(
            values[offset : last + 1], size, [step * itemsize for step in stride], writeable=False
        )
        if storage.kind.name == "BoolStorage":
            if (view > 1).any():
                raise _damaged("a truth value is neither 0 nor 1", where)
            return view.astype(np.bool_)
        if storage.kind.name == "BFloat16Storage":
            return (view.astype(np.uint32) << np.uint32(16)).view(np.float32)
        return np.array(view, order="C", copy=True)

    def _values(self, storage: Storage, where: str) -> NDArray[Any]:
        """The numbers of a storage; the last few storages are kept, because graphs may share one."""
        kept = self._storages.get(storage.key)
        if kept is None:
            data = self._archive.read(f"data/{storage.key}")
            if len(data) != storage.n_values * storage.kind.itemsize:
                raise _damaged("a storage has another size than the description says", where)
            kept = self._storages[storage.key] = (storage, np.frombuffer(data, storage.kind.dtype))
            if len(self._storages) > _KEPT_STORAGES:
                self._storages.popitem(last=False)
        if kept[0] != storage:
            raise _damaged("a storage is described in two ways", where)
        self._storages.move_to_end(storage.key)
        return kept[1]


def _final_dtype(storage: Storage) -> np.dtype[Any]:
    other = {"BoolStorage": "?", "BFloat16Storage": "<f4"}
    return np.dtype(other.get(storage.kind.name, storage.kind.dtype))


def _damaged(reason: str, where: str) -> SourceError:
    return SourceError(reason, code="E_SOURCE_DAMAGED", where=where)


def _too_large(reason: str, where: str) -> SourceError:
    return SourceError(reason, code="E_SOURCE_SIZE", where=where)
