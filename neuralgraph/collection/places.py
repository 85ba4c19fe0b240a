"""Where a collection lies: a folder, or a bucket that fsspec reaches. Files are created whole and never change."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

from neuralgraph.access.attempts import failures, reason
from neuralgraph.access.file_system import file_system
from neuralgraph.access.files import FileSource
from neuralgraph.access.places import is_url, place_name
from neuralgraph.access.remote import RemoteSource, time_limit
from neuralgraph.errors import FormatError, OutputError
from neuralgraph.storage.atomic import atomic_file, make_folder

__all__ = ["Bucket", "Folder", "Room", "Where", "room_at"]

Where: TypeAlias = str | os.PathLike[str]
"""A path, or a URL as text."""


class Room(Protocol):
    """What a collection asks of the place it lies in; names are relative, "archives/NAME.ngr"."""

    where: str
    """How messages name it."""

    def names(self, folder: str) -> list[str]:
        """Names of the files in a folder of it, in ascending order; none when there is no such folder."""

    def read(self, name: str) -> bytes:
        """A whole file."""

    def create(self, name: str, data: bytes) -> bool:
        """Create a file whole, unless there is one already: then nothing happens, and False is returned."""

    def writing(self, name: str) -> Any:
        """A context with a binary stream; the file is there, whole, when it ends without an exception."""

    def size(self, name: str) -> int:
        """Bytes of a file."""

    def age(self, name: str) -> float:
        """Seconds since a file was written."""

    def delete(self, name: str) -> None:
        """Delete a file; nothing happens when it is gone already."""

    def source(self, name: str) -> FileSource | RemoteSource:
        """A file as a source of bytes."""

    def place(self, name: str) -> str:
        """The path or URL of a file."""


def room_at(place: Where, *, options: Mapping[str, Any] | None = None) -> Room:
    """The folder or the bucket at a path or URL.

    Raises
    ------
    MissingExtraError (E_EXTRA) : a URL, and fsspec or what it needs is not installed.
    """
    return Bucket(str(place), options=options) if is_url(place) else Folder(Path(place))


class Folder:
    """A folder of this machine, or of a file server that has hard links."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)

    def names(self, folder: str) -> list[str]:  # noqa: D102  see Room
        try:
            return sorted(entry.name for entry in os.scandir(self.path / folder) if entry.is_file())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unread(error, f"{self.where}/{folder}") from error

    def read(self, name: str) -> bytes:  # noqa: D102
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise _unread(error, f"{self.where}/{name}") from error

    def create(self, name: str, data: bytes) -> bool:  # noqa: D102
        target = self._made(name)
        aside = target.with_name(f".ngr-{os.getpid()}-{os.urandom(8).hex()}.partial")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                # A rename would replace what another writer has put there meanwhile; a link fails.
                os.link(aside, target)
            finally:
                aside.unlink(missing_ok=True)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except FileExistsError:
            return False
        except OSError as error:
            reason = f"the file cannot be created ({error.strerror}); a collection needs hard links"
            raise OutputError(reason, code="E_WRITE", where=str(target)) from error
        return True

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:  # noqa: D102
        with atomic_file(self._made(name)) as stream:
            yield stream

    def _made(self, name: str) -> Path:
        target = self.path / name
        make_folder(target.parent)
        return target

    def size(self, name: str) -> int:  # noqa: D102
        try:
            return (self.path / name).stat().st_size
        except OSError as error:
            raise _unread(error, f"{self.where}/{name}") from error

    def age(self, name: str) -> float:  # noqa: D102
        try:
            return max(0.0, time.time() - (self.path / name).stat().st_mtime)
        except OSError as error:
            raise _unread(error, f"{self.where}/{name}") from error

    def delete(self, name: str) -> None:  # noqa: D102
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            reason = f"the file cannot be deleted ({error.strerror})"
            raise OutputError(reason, code="E_WRITE", where=f"{self.where}/{name}") from error

    def source(self, name: str) -> FileSource:  # noqa: D102
        return FileSource(self.path / name)

    def place(self, name: str) -> str:  # noqa: D102
        return str(self.path / name)


class Bucket:
    """A bucket, or a folder in one, that fsspec reaches.

    The store must refuse to create what is there already (``If-None-Match: *``): S3, Google Cloud Storage and Azure do,
    and s3fs and gcsfs ask for it. In any other, ``hf://`` for example, a collection can only be read.
    """

    def __init__(self, url: str, *, options: Mapping[str, Any] | None = None) -> None:
        self._url, self._options = url.rstrip("/"), options
        self.where = place_name(self._url)
        self._files, self._root, _ = file_system(self._url, options or {}, time_limit(), self.where)

    def names(self, folder: str) -> list[str]:  # noqa: D102
        self._files.invalidate_cache()
        try:
            rows = self._files.ls(f"{self._root}/{folder}", detail=True)
            return sorted(row["name"].rsplit("/", 1)[-1] for row in rows if row["type"] == "file")
        except FileNotFoundError:
            return []
        except failures() as error:
            raise _unread(error, f"{self.where}/{folder}") from error

    def read(self, name: str) -> bytes:  # noqa: D102
        try:
            return bytes(self._files.cat_file(f"{self._root}/{name}"))
        except failures() as error:
            raise _unread(error, f"{self.where}/{name}") from error

    def create(self, name: str, data: bytes) -> bool:  # noqa: D102
        if not _can_refuse(self._files):
            reason = (
                "this store cannot refuse to replace a file, so one of two writers would lose its work; collections "
                "here can only be read: write them in a folder, or in S3 or Google Cloud Storage, and copy them"
            )
            raise OutputError(reason, code="E_WRITE", where=self.where)
        try:
            self._files.pipe_file(f"{self._root}/{name}", data, mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            # The store's own word for "it is there already", where the file system does not translate it.
            if "PreconditionFailed" in str(error) or "pre-conditions" in str(error):
                return False
            reason = f"the file cannot be created ({type(error).__name__})"
            raise OutputError(reason, code="E_WRITE", where=f"{self.where}/{name}") from error
        return True

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:  # noqa: D102
        with tempfile.NamedTemporaryFile(prefix="ngr-", suffix=".partial") as aside:
            yield aside  # type: ignore[misc]  # a named temporary file is a binary stream
            aside.flush()
            try:
                self._files.put_file(aside.name, f"{self._root}/{name}")
            except OSError as error:
                reason = f"the file cannot be written ({type(error).__name__})"
                raise OutputError(reason, code="E_WRITE", where=f"{self.where}/{name}") from error

    def size(self, name: str) -> int:  # noqa: D102
        self._files.invalidate_cache()
        try:
            return int(self._files.size(f"{self._root}/{name}"))
        except failures() as error:
            raise _unread(error, f"{self.where}/{name}") from error

    def age(self, name: str) -> float:  # noqa: D102
        self._files.invalidate_cache()
        try:
            return max(0.0, time.time() - float(self._files.modified(f"{self._root}/{name}").timestamp()))
        except failures() as error:
            raise _unread(error, f"{self.where}/{name}") from error

    def delete(self, name: str) -> None:  # noqa: D102
        with suppress(FileNotFoundError):
            try:
                self._files.rm_file(f"{self._root}/{name}")
            except PermissionError as error:
                reason = "the file cannot be deleted (no permission)"
                raise OutputError(reason, code="E_WRITE", where=f"{self.where}/{name}") from error

    def source(self, name: str) -> RemoteSource:  # noqa: D102
        return RemoteSource(self.place(name), options=self._options)

    def place(self, name: str) -> str:  # noqa: D102
        return f"{self._url}/{name}"


def _can_refuse(files: Any) -> bool:
    """Whether a file system has a way of its own to create a file; that of fsspec looks first and writes then."""
    from fsspec.spec import AbstractFileSystem

    return bool(getattr(files, "async_impl", False)) or type(files).pipe_file is not AbstractFileSystem.pipe_file


def _unread(error: Exception, where: str) -> FormatError:
    return FormatError(f"cannot read the file ({reason(error, time_limit())})", code="E_OPEN", where=where)
