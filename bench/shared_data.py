"""Where films and reports lie that measurements may read and the repository may not hold."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["SHARED_DATA"]

SHARED_DATA = Path(os.environ.get("NEURALGRAPH_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
"""The folder ``data`` of NEURALGRAPH_SHARED, or of ``shared`` beside the repository."""
