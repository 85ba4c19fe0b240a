"""Weights that ``torch.save`` wrote: a map of names to tensors, read by the interpreter of ``interpreter``.

Both forms are read: the zip container, and the one before PyTorch 1.6, in which older checkpoints are still handed
out: three small programs, the program of the map, the list of its storages, then every storage as a count (int64) and
its numbers (``torch/serialization.py``, ``_legacy_save``). Nothing is unpickled, and a file that holds anything but
tensors under names is refused.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neuralgraph.errors import SourceError
from neuralgraph.migration.archive import TorchArchive
from neuralgraph.migration.interpreter import interpret, interpret_first
from neuralgraph.migration.tensors import TensorReader
from neuralgraph.migration.values import STORAGE_TYPES, Storage, Tensor

__all__ = ["MAX_WEIGHTS_BYTES", "read_weights"]

MAX_WEIGHTS_BYTES = 2**33
"""Size of a file of the old form, which is read as a whole."""

_MAGIC = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
"""The first program of the old form: a number, and nothing else."""
_WRAPPERS = ("state_dict", "model", "model_state_dict")
"""Names under which checkpoints of training runs keep the map."""


def read_weights(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The tensors of a checkpoint by their names, in the order of the file.

    Parameters
    ----------
    path : a .pth, .pt or .bin file with a state_dict, or with one under ``state_dict``, ``model`` or
        ``model_state_dict``.

    Raises
    ------
    SourceError (E_SOURCE_READ, E_SOURCE_TYPE, E_SOURCE_CONTENT, E_SOURCE_DAMAGED, E_SOURCE_SIZE) : it cannot be read,
        is no such file, names what is not allowed, contradicts itself, is too large.
    """
    with _opened(path) as archive:
        found = interpret(archive.read("data.pkl"))
        for name in _WRAPPERS:
            if isinstance(found, dict) and isinstance(found.get(name), dict):
                found = found[name]
        if not isinstance(found, dict) or not found or not all(isinstance(value, Tensor) for value in found.values()):
            reason = "the file holds something other than tensors under their names; save the model's state_dict()"
            raise SourceError(reason, code="E_SOURCE_CONTENT", where="data.pkl")
        reader = TensorReader(archive)
        return {name: reader.array(tensor, where=name) for name, tensor in found.items()}


def _opened(path: str | os.PathLike[str]) -> Any:
    file = Path(path)
    try:
        if file.is_file() and file.stat().st_size > len(_MAGIC):
            with file.open("rb") as stream:
                if stream.read(len(_MAGIC)) == _MAGIC:
                    return _OldForm(file)
    except OSError as error:
        raise SourceError(f"the file cannot be read ({error.strerror})", code="E_SOURCE_READ") from error
    return TorchArchive(file)


class _OldForm:
    """A file of the old form, as ``TorchArchive`` shows one: ``read("data.pkl")``, ``read("data/KEY")``, ``size``."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        if self.size > MAX_WEIGHTS_BYTES:
            raise SourceError(f"the file has {self.size} bytes, the limit is {MAX_WEIGHTS_BYTES}", code="E_SOURCE_SIZE")
        data = memoryview(path.read_bytes())
        place = len(_MAGIC)
        # The protocol of torch, then sizes of C types and the byte order.
        _, place = _next(data, place)
        machine, place = _next(data, place)
        if not isinstance(machine, dict) or machine.get("little_endian") is not True:
            raise SourceError("saved on a big-endian machine, which is not read", code="E_SOURCE_TYPE")
        start = place
        value, place = _next(data, place)
        self._parts: dict[str, memoryview] = {"data.pkl": data[start:place]}
        keys, place = _next(data, place)
        kinds = _storages(value)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise _damaged("the list of storages is not one")
        for key in keys:
            count = int.from_bytes(data[place : place + 8], "little")
            kind = kinds.get(key)
            if kind is None or place + 8 + count * kind > len(data):
                raise _damaged("a storage lies outside the file, or belongs to no tensor")
            place += 8
            self._parts[f"data/{key}"] = data[place : place + count * kind]
            place += count * kind
        if place != len(data):
            raise _damaged("bytes follow the last storage")

    def __enter__(self) -> _OldForm:
        return self

    def __exit__(self, *_: object) -> None:
        self._parts.clear()

    def read(self, name: str) -> bytes:
        part = self._parts.get(name)
        if part is None:
            raise _damaged("a storage that a tensor needs is missing")
        return bytes(part)


def _next(data: memoryview, place: int) -> tuple[Any, int]:
    """The value of the program that begins at a place, and where the next one begins."""
    value, length = interpret_first(data[place:])
    return value, place + length


def _storages(value: Any) -> dict[str, int]:
    """Bytes of a number, by the key of every storage that a map of tensors mentions."""
    found: dict[str, int] = {}
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if isinstance(one, Tensor):
            storage: Storage = one.storage
            found[storage.key] = STORAGE_TYPES[storage.kind.name].itemsize
        elif isinstance(one, dict) and id(one) not in seen:
            seen.add(id(one))
            waiting += one.values()
    return found


def _damaged(reason: str) -> SourceError:
    return SourceError(reason, code="E_SOURCE_DAMAGED", where="weights")
