"""A bound on the memory that reading a film may take, on top of what the process has: a bomb that passes every other
check costs one study, not the machine.

The limit is the process's own soft RLIMIT_DATA (Linux: private writable memory; elsewhere there is no bound). Only
decoding runs under it; the model does not. Where a decoder cannot live with a refused allocation its worker dies, which
costs the same one study.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neuralgraph.errors import SourceError

__all__ = ["bounded_memory"]

_STATUS = Path("/proc/self/status")
_DATA_SIZE = re.compile(r"^VmData:\s+(\d+) kB", re.MULTILINE)


@contextmanager
def bounded_memory(mebibytes: int) -> Iterator[None]:
    """Run something with at most so much more memory; where the system does not say how much there is, without bound.

    Parameters
    ----------
    mebibytes : beyond what the process has now; 0 sets no bound.

    Raises
    ------
    SourceError (E_SOURCE_SIZE) : it wanted more.
    """
    try:
        import resource
    except ImportError:
        # Windows bounds nothing this way; the time limit remains.
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    used = _DATA_SIZE.search(_STATUS.read_text()) if mebibytes and _STATUS.exists() else None
    try:
        if used is not None:
            most = int(used[1]) * 1024 + mebibytes * 1024 * 1024
            resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))
        yield
    except MemoryError as error:
        raise SourceError("the film needs more memory than is allowed for one", code="E_SOURCE_SIZE") from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
