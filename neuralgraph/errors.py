"""Exceptions. Every failure a user can meet is one of these and carries a stable code.

NeuralGraphError
├── FormatError          the bytes break FORMAT.md
│   ├── ChecksumError    a stored checksum or digest does not match the bytes
│   └── CodecError       a stream does not decode
├── LimitError           legal, but larger than the caller's limits
├── StudyError           a graph breaks its own rules
├── StudyNotFoundError   the archive holds no such study (also a KeyError and an IndexError)
├── SourceError          a film, a report or a table cannot be used
├── ModelError           a model cannot be loaded or does not behave
├── OutputError          the result cannot be written
├── CollectionError      a collection cannot be changed or asked this way
└── MissingExtraError    an optional library is not installed (also an ImportError)

``CODES`` names every code once, with its meaning; codes are never reused and never change meaning.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

__all__ = [
    "CODES",
    "CONTROLS",
    "DISTRIBUTION",
    "VERSION",
    "ChecksumError",
    "CodecError",
    "CollectionError",
    "FormatError",
    "LimitError",
    "MissingExtraError",
    "ModelError",
    "NeuralGraphError",
    "OutputError",
    "Problem",
    "SourceError",
    "StudyError",
    "StudyNotFoundError",
    "installing",
    "missing_extra",
    "printable",
]

CODES: dict[str, str] = {
    # Framing (FORMAT.md section 3)
    "E_MAGIC": "the first 8 bytes are not the .ngr signature",
    "E_PROLOGUE": "the prologue is damaged, has reserved bits set or an unknown major version",
    "E_FEATURE": "the file requires a feature this reader does not have",
    "E_TRUNCATED": "the file ends before its trailer, or is shorter than its trailer says",
    "E_TRAILING": "bytes follow the end of the file as the trailer states it",
    "E_TRAILER": "the trailer is damaged or has reserved bytes set",
    "E_COVER": "the parts of the file leave a gap, overlap, or are padded with non-zero bytes",
    "E_RANGE": "an offset or a length points outside the file or is misaligned",
    # Table of contents (section 6)
    "E_TOC_CRC": "the table of contents fails its checksum",
    "E_TOC_SIZE": "the table of contents is larger than allowed",
    "E_TOC_FORM": "a map is not in the canonical form",
    "E_TOC_KEY": "a map has an unknown, missing or ill-typed member",
    "E_SECTION": "a section is duplicated, unknown and critical, or has wrong flags",
    "E_NAME": "a name does not follow the name grammar",
    # Index and records (sections 5 and 6)
    "E_INDEX": "the index contradicts itself or the layout",
    "E_RECORD": "a record header is damaged or contradicts the index",
    "E_STREAM": "a record's streams are unsorted, duplicated, missing or unknown",
    "E_CRC": "stored bytes fail their checksum",
    "E_SIZE": "a stream's size is not what the counts require",
    "E_OVERFLOW": "a count or a product of counts exceeds 2^53 - 1",
    # Codecs (section 7)
    "E_ZSTD": "a zstd frame breaks the frame rules",
    "E_FILTER": "codec parameters are out of range",
    # Meaning (section 8)
    "E_IDX": "an index points outside its table",
    "E_COORD": "a patch lies outside its grid, or twice in the same place",
    "E_EDGE": "an edge does not join grid neighbours, or is not in canonical order",
    "E_ORDER": "patches are not in descending order of score",
    "E_ATTENTION": "a patch's score contradicts the attention map",
    "E_TEXT": "a string is not valid UTF-8 or holds forbidden characters",
    "E_NUM": "a number is not finite or is out of its range",
    "E_DUP": "two studies of one archive have the same id",
    "E_METHOD": "a record refers to a method that the file does not hold",
    "E_DIGEST": "a content digest, a leaf or the root does not match the bytes",
    "E_SIG": "a signature is unknown or does not verify",
    "E_BUDGET": "the declared resource envelope is exceeded",
    # Asking
    "E_LIMIT": "larger than the limits allow; raise them deliberately with Limits(...)",
    "E_STUDY": "a study breaks the rules of the graph",
    "E_NOT_FOUND": "no such study in this archive",
    "E_OPEN": "the file cannot be read",
    # Sources
    "E_SOURCE_READ": "the film, report or table cannot be read",
    "E_SOURCE_EMPTY": "the file is empty",
    "E_SOURCE_TYPE": "the file is not an image or DICOM file this version reads",
    "E_SOURCE_DAMAGED": "the file is damaged or truncated",
    "E_SOURCE_SIZE": "the film or report is larger, or smaller, than can be used",
    "E_SOURCE_KIND": "the image is not a single-frame grey radiograph",
    "E_SOURCE_BLANK": "the film shows nothing: all of it is one grey, or nearly",
    "E_SOURCE_TURNED": "the film says that it is mirrored, and not how to undo it",
    "E_SOURCE_ENCODING": "the pixel encoding is not supported",
    "E_SOURCE_TEXT": "the report is not valid UTF-8 text",
    "E_SOURCE_CONTENT": "the file holds code, or something other than the plain data that is read",
    # Models, extras, output
    "E_MODEL": "the model cannot be loaded",
    "E_MODEL_ATTENTION": "the model returns no usable cross-attention",
    "E_EXTRA": "an optional library is not installed",
    "E_OUTPUT": "the output cannot be created at this place",
    "E_WRITE": "writing the output failed",
    # Collections
    "E_MANIFEST": "the manifest of a collection is damaged or missing",
    "E_CONFLICT": "another writer changed the collection at the same time",
    "E_REMOVED": "a study was removed from this collection and must not come back",
    "E_TOKEN": "a server was asked without a token it knows",
    "E_QUERY": "a question to the catalogue cannot be understood",
}


class Problem(NamedTuple):
    """One finding of a validation, as data instead of an exception."""

    code: str
    """A key of ``CODES``."""
    where: str
    """The place: section, record, stream, field or row."""
    message: str
    """What is wrong, one line."""


CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of text: what a file holds must not move the cursor."""


def printable(text: str) -> str:
    """``text`` as one line that a terminal shows as it is: characters that control it are escaped."""
    return CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)


class NeuralGraphError(Exception):
    """Base of every error this package raises on purpose; copies and pickles are equal to it in every attribute.

    Parameters
    ----------
    message : what was wrong and what to do about it, one line.
    code : a key of ``CODES``. There is no default, which could lie; only a class of one code knows its own. Without it,
        ``message`` may be a text that holds a printed error of this class, as torch passes on what was raised in a
        worker: message, code and place are then those of the printed error, and the text is kept as a note.
    where : the place: a section, record, stream, field or argument; "" when the whole input is meant.

    Raises
    ------
    TypeError : the code is missing.
    """

    only_code = ""
    """The code of a class that has one only."""

    def __init__(self, message: str, *, code: str = "", where: str = "") -> None:
        if not code:
            printed = _printed(type(self).__name__, message)
            if printed is not None:
                self.add_note(message)
                code, where, message = printed
            elif not self.only_code:
                raise TypeError(f"{type(self).__name__} needs code=, one of neuralgraph.errors.CODES")
            else:
                code = self.only_code
        if code not in CODES:
            raise AssertionError(f"{code} is not a registered error code")
        super().__init__(message)
        self.message, self.code, self.where = message, code, where

    def __reduce__(self) -> tuple[Any, ...]:
        """Class, message, code and place; then whatever was noted on the error."""
        return _raised_again, (type(self), self.message, self.code, self.where), self.__dict__

    @property
    def problem(self) -> Problem:
        """The same finding as data."""
        return Problem(self.code, self.where, self.message)

    def __str__(self) -> str:
        place = f" [{printable(self.where)}]" if self.where else ""
        return f"{self.code}{place}: {printable(self.message)}"


def _raised_again(kind: type[NeuralGraphError], message: str, code: str, where: str) -> NeuralGraphError:
    return kind(message, code=code, where=where)


_CODE = re.compile(r"(E_[A-Z_]+)(: | \[)", re.ASCII)


def _printed(name: str, text: str) -> tuple[str, str, str] | None:
    """Code, place and message of the last error of the class ``name`` printed in ``text``, on a line of its own."""
    for line in reversed(text.splitlines()):
        kind, colon, said = line.partition(": ")
        code = _CODE.match(said)
        if not colon or kind.rpartition(".")[2] != name or code is None or code[1] not in CODES:
            continue
        if code[2] == ": ":
            return code[1], "", said[code.end() :]
        place, message = _place(said[code.end() :])
        return code[1], place, message
    return None


def _place(said: str) -> tuple[str, str]:
    """Place and message of "place]: message"; brackets inside the place are in pairs."""
    ends = [found.start() for found in re.finditer(re.escape("]: "), said)]
    paired = [end for end in ends if said.count("[", 0, end) == said.count("]", 0, end)]
    end = (paired or ends or [len(said)])[0]
    return said[:end], said[end + 3 :]


class FormatError(NeuralGraphError):
    """The bytes break FORMAT.md."""


class ChecksumError(FormatError):
    """A stored checksum or digest does not match the bytes."""


class CodecError(FormatError):
    """A stream does not decode."""


class LimitError(NeuralGraphError):
    """Legal, but larger than the caller's limits."""


class StudyError(NeuralGraphError):
    """A graph breaks its own rules."""


class StudyNotFoundError(NeuralGraphError, KeyError, IndexError):
    """The archive holds no such study; an IndexError too, so that sequences iterate."""

    only_code = "E_NOT_FOUND"

    __str__ = NeuralGraphError.__str__


class SourceError(NeuralGraphError):
    """A film, a report or a table cannot be used."""


class ModelError(NeuralGraphError):
    """A model cannot be loaded or does not behave."""


class OutputError(NeuralGraphError):
    """The result cannot be written: E_OUTPUT names a wrong place, E_WRITE a failure on the way."""


class CollectionError(NeuralGraphError):
    """A collection cannot be changed or asked this way: lost against another writer, or against an earlier removal."""


class MissingExtraError(NeuralGraphError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""

    only_code = "E_EXTRA"

    __str__ = NeuralGraphError.__str__


VERSION = "0.1.0"
"""Of the package; down here because floors above the ground may not import the whole of it."""
DISTRIBUTION = "ngr-format"
"""Name under which this package is installed. ``neuralgraph`` on the package index is a stranger's."""


def installing(extra: str) -> str:
    """How to get an extra, for messages: from a checkout, until ``DISTRIBUTION`` is published."""
    return f"pip install '.[{extra}]' in a checkout of neuralgraph"


def missing_extra(feature: str, *, extra: str, library: str) -> MissingExtraError:
    """The error for a feature whose library is absent.

    Parameters
    ----------
    feature : what the caller wanted, in plain words ("reading DICOM").
    extra : the extra of this package that installs it ("dicom"); "" for a library that no extra brings.
    library : the import that failed ("pydicom").
    """
    if not extra:
        reason = f"{feature} needs {library}, which no extra brings; run: pip install {library}"
        return MissingExtraError(reason, where=f"library {library}")
    return MissingExtraError(f"{feature} needs {library}; run: {installing(extra)}", where=f"extra {extra}")
