"""Numbers for Prometheus, in its text format; they name no study and no question."""

from __future__ import annotations

import threading
from collections import Counter

__all__ = ["Metrics"]

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds."""


class Metrics:
    """Counts requests by endpoint and status, and how long they took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0
        self._count = 0

    def add(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answer."""
        with self._lock:
            self._requests[endpoint, status] += 1
            self._count += 1
            self._seconds += seconds
            for bound in _BOUNDS:
                self._buckets[bound] += seconds <= bound

    def text(self, *, studies: int, archives: int, snapshot: int) -> str:
        """What Prometheus reads."""
        with self._lock:
            lines = ["# TYPE ngr_requests_total counter"]
            lines += [
                f'ngr_requests_total{{endpoint="{endpoint}",status="{status}"}} {count}'
                for (endpoint, status), count in sorted(self._requests.items())
            ]
            lines.append("# TYPE ngr_request_seconds histogram")
            lines += [f'ngr_request_seconds_bucket{{le="{bound}"}} {self._buckets[bound]}' for bound in _BOUNDS]
            lines.append(f'ngr_request_seconds_bucket{{le="+Inf"}} {self._count}')
            lines += [f"ngr_request_seconds_sum {self._seconds:.6f}", f"ngr_request_seconds_count {self._count}"]
        for name, value in (("studies", studies), ("archives", archives), ("snapshot", snapshot)):
            lines += [f"# TYPE ngr_{name} gauge", f"ngr_{name} {value}"]
        return "\n".join(lines) + "\n"
