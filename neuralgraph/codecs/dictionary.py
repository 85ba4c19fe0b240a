"""Byte codec 3, ``zstd_dictionary``: small streams that lean on what an archive keeps once (FORMAT.md section 7.9).

A dictionary is trained (ZDICT) on some of the streams and named by an id that follows from its content, so that a frame
cannot be taken to another dictionary than its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import zstandard

from neuralgraph.codecs.forms import Buffer
from neuralgraph.codecs.zstd import LEVEL, MAX_WINDOW_BYTES, frame_content, frame_header
from neuralgraph.errors import CodecError
from neuralgraph.wire.checksums import sha256

__all__ = [
    "MAX_DICTIONARY_BYTES",
    "Dictionary",
    "DictionaryLookup",
    "decode",
    "dictionary_id",
    "named_dictionary",
    "no_dictionary",
    "train_dictionary",
]

MAX_DICTIONARY_BYTES = 2**20
_ID_AT, _CONTENT_AT = 4, 8
_FIRST_ID, _END_ID = 2**16, 2**31
"""Ids of four bytes that RFC 8878 leaves to private use."""


class _Loaded(threading.local):
    """What every thread has of its own: a (de)compressor that two use at once writes over its own memory."""

    def __init__(self, data: bytes) -> None:
        self._dictionary = zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)
        self._compressors: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressor = zstandard.ZstdDecompressor(dict_data=self._dictionary, max_window_size=MAX_WINDOW_BYTES)

    def compressor(self, level: int) -> zstandard.ZstdCompressor:
        """One that writes content size and id, and no checksum."""
        if level not in self._compressors:
            parameters = zstandard.ZstdCompressionParameters.from_level(
                level, window_log=20, write_content_size=True, write_checksum=False, write_dict_id=True
            )
            self._compressors[level] = zstandard.ZstdCompressor(
                dict_data=self._dictionary, compression_params=parameters
            )
        return self._compressors[level]


@dataclass(frozen=True, eq=False)
class Dictionary:
    """A dictionary in the format of RFC 8878 section 5.

    Raises
    ------
    CodecError (E_DICT) : it is none, is too large, or its id is not that of its content.
    """

    data: bytes
    """The payload of its section."""
    where: str = "dictionary"

    def __post_init__(self) -> None:
        """Check the rules (FORMAT.md F36)."""
        if len(self.data) > MAX_DICTIONARY_BYTES:
            raise self._error(f"the dictionary has more than {MAX_DICTIONARY_BYTES} bytes")
        if len(self.data) <= _CONTENT_AT or self.id != dictionary_id(self.data):
            raise self._error("the id of the dictionary is not that of its content")
        try:
            self.loaded  # noqa: B018  loading it is the check
        except zstandard.ZstdError as error:
            raise self._error("this is not a dictionary of zstd") from error

    def _error(self, reason: str) -> CodecError:
        return CodecError(reason, code="E_DICT", where=self.where)

    @property
    def id(self) -> int:
        """By which frames name it: 65,536 to 2^31 - 1."""
        return int.from_bytes(self.data[_ID_AT:_CONTENT_AT], "little")

    @cached_property
    def loaded(self) -> _Loaded:
        """Ready to compress and decompress."""
        return _Loaded(self.data)

    def encode(self, data: bytes, *, level: int = LEVEL) -> bytes:
        """One frame that leans on it: content size and id written, no checksum."""
        return self.loaded.compressor(level).compress(data)


DictionaryLookup: TypeAlias = Callable[[int], Dictionary | None]
"""The dictionary of an id, or None."""


def named_dictionary(stored: memoryview, *, where: str) -> int:
    """The id that a frame names.

    Raises
    ------
    CodecError (E_ZSTD, E_SIZE) : its header breaks a rule.
    """
    return frame_header(stored, where, with_dictionary=True).dictionary_id


def decode(stored: memoryview, decoded_bytes: int, find_dictionary: DictionaryLookup, *, where: str) -> bytes:
    """The content of a frame that leans on a dictionary.

    Raises
    ------
    CodecError (E_ZSTD, E_SIZE) : as for a frame without one.
    CodecError (E_DICT) : the dictionary is not there; the message has its id.
    """
    header = frame_header(stored, where, with_dictionary=True)
    header.require_size(decoded_bytes, where)
    dictionary = find_dictionary(header.dictionary_id)
    if dictionary is None:
        reason = f"the dictionary {header.dictionary_id:08x} is needed, and the file does not hold it"
        raise CodecError(reason, code="E_DICT", where=where)
    return frame_content(stored, header, dictionary.loaded.decompressor, where)


def no_dictionary(number: int) -> Dictionary | None:
    """The lookup of a reader that has none."""
    del number
    return None


def dictionary_id(data: Buffer) -> int:
    """The id that follows from the content of a dictionary (FORMAT.md F36)."""
    content = int.from_bytes(sha256(bytes(data[_CONTENT_AT:]))[:4], "little")
    return _FIRST_ID + content % (_END_ID - _FIRST_ID)


def train_dictionary(samples: Sequence[bytes], *, size: int) -> Dictionary | None:
    """The dictionary of ``samples``, ``size`` bytes at most; None when they are too few or too little for one.

    The same samples give the same dictionary, for one version of libzstd.
    """
    try:
        trained = zstandard.train_dictionary(size, list(samples), level=LEVEL, dict_id=_FIRST_ID).as_bytes()
    except zstandard.ZstdError:
        return None
    return Dictionary(trained[:_ID_AT] + dictionary_id(trained).to_bytes(4, "little") + trained[_CONTENT_AT:])
