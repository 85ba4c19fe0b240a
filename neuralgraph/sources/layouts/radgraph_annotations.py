"""The RadGraph-XL annotations that CheXpert Plus ships: one file per section, a list of one graph per section text.

Files and rows are aligned by position in the publisher's table only. Here a graph is found by the text it was made
from, letters and digits alone, so that a table that was filtered or sorted never gets another study's graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["read_annotations", "squeezed"]

_FOLDERS = ("radgraph-XL-annotations", ".")
_NAMES = ("section_findings.json", "section_impression.json")


def squeezed(text: str) -> str:
    """Letters and digits of a text, in small letters: what tokenising leaves as it is."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def read_annotations(folder: Path) -> dict[str, str]:
    """Graphs, each a RadGraph entry as JSON, by the ``squeezed`` text they belong to.

    Parameters
    ----------
    folder : of the data set, or of the annotations.

    Raises
    ------
    SourceError (E_SOURCE_READ) : there are none, or they cannot be read.
    SourceError (E_SOURCE_DAMAGED) : not JSON, or not of RadGraph.
    """
    found = [folder / below / name for below in _FOLDERS for name in _NAMES if (folder / below / name).is_file()]
    if not found:
        raise SourceError(
            "there are no RadGraph annotations here", code="E_SOURCE_READ", where=f"{_FOLDERS[0]}/{_NAMES[0]}"
        )
    return {squeezed(entry["text"]): _json(entry) for path in found for entry in _entries(path)}


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    try:
        documents = parsed_json(path.read_bytes())
        for document in documents if isinstance(documents, list) else [documents]:
            for entry in document.values():
                # Sections of a single word have no annotation.
                if isinstance(entry, dict) and isinstance(entry["text"], str):
                    yield entry
    except OSError as error:
        raise SourceError(
            f"the annotations cannot be read ({error.strerror})", code="E_SOURCE_READ", where=path.name
        ) from error
    except (ValueError, AttributeError, KeyError, RecursionError) as error:
        raise SourceError(
            "the annotations are not those of RadGraph", code="E_SOURCE_DAMAGED", where=path.name
        ) from error


def _json(entry: dict[str, Any]) -> str:
    return json.dumps({"text": entry["text"], "entities": entry.get("entities", {})}, separators=(",", ":"))
