"""What a C decoder writes to the standard error stream: kept off the user's terminal, and heard.

GDCM's JPEG library prints "Corrupt JPEG data" there and returns pixels all the same; there is no other way to learn it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from neuralgraph.errors import SourceError

__all__ = ["heard_decoder"]

_STANDARD_ERROR = 2


@contextmanager
def heard_decoder() -> Iterator[None]:
    """Run a decoder with its standard error stream caught; a film that the decoder complains about is refused.

    The stream is one for the whole process. A decoder that holds the interpreter's lock, as GDCM does, keeps other
    threads from writing to it meanwhile.

    Raises
    ------
    SourceError (E_SOURCE_DAMAGED) : the decoder wrote anything at all, whatever it returned.
    """
    try:
        saved = os.dup(_STANDARD_ERROR)
    except OSError:
        # A process without a standard error stream has nothing to keep clean, and nothing to listen to.
        yield
        return
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), _STANDARD_ERROR)
        try:
            yield
        finally:
            os.dup2(saved, _STANDARD_ERROR)
            os.close(saved)
        heard.seek(0, os.SEEK_END)
        complained = heard.tell() > 0
    if complained:
        raise SourceError(
            "the DICOM file is damaged or truncated: its compressed pixels are corrupt", code="E_SOURCE_DAMAGED"
        )
