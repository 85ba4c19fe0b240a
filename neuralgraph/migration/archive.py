"""The zip container of ``torch.save``, read strictly: stored entries only, every extent proven before it is used.

Names of entries are looked up, never used as paths. The container is the one PyTorch has written since 1.6: a folder
with ``data.pkl``, ``byteorder``, ``version`` and one entry per storage under ``data/``; zip64 where it is large
(PKWARE APPNOTE.TXT sections 4.3 and 4.5.3).
"""

from __future__ import annotations

import os
import stat
import struct
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from neuralgraph.errors import SourceError
from neuralgraph.wire.checksums import crc32

__all__ = ["MAX_ENTRIES", "MAX_ENTRY_BYTES", "TorchArchive"]

MAX_ENTRIES = 2**20
"""Entries of one container."""
MAX_ENTRY_BYTES = 2**28
"""Bytes of one entry."""

_LEGACY_MAGIC = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ENCRYPTED = 0x2041  # traditional, strong, masked headers
_MAX_NAME = 512


class _Entry(NamedTuple):
    offset: int
    size: int
    crc32: int
    name: bytes


def _damaged(reason: str) -> SourceError:
    return SourceError(reason, code="E_SOURCE_DAMAGED", where="zip container")


class TorchArchive:
    """An open ``torch.save`` file.

    Parameters
    ----------
    path : a local file. The path does not occur in the error texts.

    Raises
    ------
    SourceError (E_SOURCE_READ) : missing, no regular file, not readable.
    SourceError (E_SOURCE_EMPTY)
    SourceError (E_SOURCE_TYPE) : no ``torch.save`` file, or one of a form that is not read.
    SourceError (E_SOURCE_DAMAGED) : the container contradicts itself.
    SourceError (E_SOURCE_SIZE) : more or larger entries than ``MAX_ENTRIES`` and ``MAX_ENTRY_BYTES``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            # Asked before opening: opening a pipe would wait for its writer.
            if not stat.S_ISREG(Path(path).stat().st_mode):
                raise SourceError("not a regular file; give one file saved with torch.save", code="E_SOURCE_READ")
            self._file: BinaryIO = open(path, "rb")  # noqa: SIM115  closed by close()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "the path is not one this system can open"
            raise SourceError(f"the file cannot be read ({reason})", code="E_SOURCE_READ") from error
        try:
            self.size = os.fstat(self._file.fileno()).st_size
            self._entries = self._directory()
            self._prefix = self._folder()
            self._check_byte_order()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; harmless when closed already."""
        self._file.close()

    def __enter__(self) -> TorchArchive:
        """The archive itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def _at(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise _damaged("an extent lies outside the file")
        try:
            self._file.seek(offset)
            data = self._file.read(length)
        except OSError as error:
            raise SourceError(f"the file cannot be read ({error.strerror})", code="E_SOURCE_READ") from error
        if len(data) != length:
            raise _damaged("the file became shorter while it was read")
        return data

    def _directory(self) -> dict[bytes, _Entry]:
        if self.size == 0:
            raise SourceError("the file has no content", code="E_SOURCE_EMPTY")
        start = self._at(0, min(self.size, len(_LEGACY_MAGIC)))
        if start == _LEGACY_MAGIC:
            reason = (
                "this is the form torch.save had before PyTorch 1.6, which is not read; "
                "load it with the PyTorch that wrote it and save it again with torch.save(graphs, path)"
            )
            raise SourceError(reason, code="E_SOURCE_TYPE")
        if start[:4] != b"PK\x03\x04":
            raise SourceError("not a file that torch.save wrote: no zip container", code="E_SOURCE_TYPE")
        count, size, offset, end = self._end()
        if count > MAX_ENTRIES:
            raise SourceError(
                f"{count} entries, the limit is {MAX_ENTRIES}", code="E_SOURCE_SIZE", where="zip container"
            )
        if offset + size != end or size < count * _CENTRAL.size or size > count * (_CENTRAL.size + 2 * _MAX_NAME):
            raise _damaged("the directory is not where the end of the container says")
        directory, entries, position = self._at(offset, size), {}, 0
        extents = []
        for _ in range(count):
            entry, header, position = self._entry(directory, position)
            if entry.name in entries:
                raise _damaged("two entries have the same name")
            entries[entry.name] = entry
            extents.append((header, entry.offset + entry.size))
        if position != size:
            raise _damaged("bytes follow the entries of the directory")
        extents.sort()
        # The end of the last entry is bounded by the directory, so that no entry reaches into it either.
        if any(later < stop for (_, stop), (later, _) in pairwise([*extents, (offset, end)])):
            raise _damaged("entries overlap")
        return entries

    def _end(self) -> tuple[int, int, int, int]:
        """Entries, bytes and offset of the directory, and where it must end."""
        at = self.size - _END.size
        if at < 0:
            raise _damaged("the file ends inside the container: it is truncated")
        magic, disk, first, here, count, size, offset, comment = _END.unpack(self._at(at, _END.size))
        if magic != b"PK\x05\x06" or comment:
            raise _damaged("the file does not end with the end of a zip container: it is truncated, or was changed")
        if (disk, first) != (0, 0) and (disk, first) != (_FULL16, _FULL16):
            raise _damaged("a container of several parts")
        locator = b""
        if at >= _LOCATOR64.size:
            locator = self._at(at - _LOCATOR64.size, _LOCATOR64.size)
        if locator[:4] == b"PK\x06\x07":
            at64 = _LOCATOR64.unpack(locator)[2]
            if at64 + _END64.size != at - _LOCATOR64.size:
                raise _damaged("the large-file directory is not where its locator says")
            magic, _, _, _, disk, first, here, count, size, offset = _END64.unpack(self._at(at64, _END64.size))
            if magic != b"PK\x06\x06" or disk or first:
                raise _damaged("the large-file end of the container is not one")
            at = at64
        if here != count:
            raise _damaged("a container of several parts")
        return count, size, offset, at

    def _entry(self, directory: bytes, position: int) -> tuple[_Entry, int, int]:
        """An entry, where its local header stands, and the position after it."""
        if position + _CENTRAL.size > len(directory):
            raise _damaged("the directory ends inside an entry")
        fields = _CENTRAL.unpack_from(directory, position)
        magic, _, _, flags, method, _, _, checksum, stored, size, n_name, n_extra, n_comment, disk, _, _, offset = (
            fields
        )
        position += _CENTRAL.size
        name = directory[position : position + n_name]
        extra = directory[position + n_name : position + n_name + n_extra]
        position += n_name + n_extra + n_comment
        if (
            magic != b"PK\x01\x02"
            or position > len(directory)
            or not 0 < n_name <= _MAX_NAME
            or disk not in (0, _FULL16)
        ):
            raise _damaged("an entry of the directory is not one")
        size, stored, offset = _large(extra, size, stored, offset)
        if method != 0 or flags & _ENCRYPTED or size != stored:
            raise _damaged("an entry is compressed or encrypted; torch.save does neither")
        if size > MAX_ENTRY_BYTES:
            reason = f"an entry has {size} bytes, the limit is {MAX_ENTRY_BYTES}"
            raise SourceError(reason, code="E_SOURCE_SIZE", where="zip container")
        local = _LOCAL.unpack(self._at(offset, _LOCAL.size))
        if local[0] != b"PK\x03\x04" or local[3] != 0 or self._at(offset + _LOCAL.size, local[9]) != name:
            raise _damaged("an entry and its local header disagree")
        return _Entry(offset + _LOCAL.size + local[9] + local[10], size, checksum, name), offset, position

    def _folder(self) -> bytes:
        found = [name for name in self._entries if name.endswith(b"/data.pkl") and name.count(b"/") == 1]
        if len(found) != 1:
            reason = "not a file that torch.save wrote: the container has no data.pkl"
            raise SourceError(reason, code="E_SOURCE_TYPE")
        return found[0].removesuffix(b"data.pkl")

    def _check_byte_order(self) -> None:
        if self.read_or_none("byteorder") not in (None, b"little"):
            raise SourceError("saved on a big-endian machine, which is not read", code="E_SOURCE_TYPE")

    def read_or_none(self, name: str) -> bytes | None:
        """Like ``read``, and None when there is no such entry."""
        return self.read(name) if self._prefix + name.encode() in self._entries else None

    def read(self, name: str) -> bytes:
        """The content of an entry, its checksum verified.

        Parameters
        ----------
        name : below the folder of the container: "data.pkl", "data/0".

        Raises
        ------
        SourceError (E_SOURCE_DAMAGED) : no such entry, or its bytes do not match their checksum.
        """
        entry = self._entries.get(self._prefix + name.encode())
        if entry is None:
            raise _damaged("an entry that the graphs need is missing")
        data = self._at(entry.offset, entry.size)
        if crc32(data) != entry.crc32:
            raise _damaged("the bytes of an entry do not match their checksum")
        return data


def _large(extra: bytes, size: int, stored: int, offset: int) -> tuple[int, int, int]:
    """Sizes and offset, taken from the large-file field where the entry has one."""
    position, values = 0, b""
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            values = extra[position + 4 : position + 4 + length]
        position += 4 + length
    result = []
    for value in (size, stored, offset):
        if value == _FULL32 and len(values) >= 8:
            value, values = int.from_bytes(values[:8], "little"), values[8:]
        result.append(value)
    return result[0], result[1], result[2]
