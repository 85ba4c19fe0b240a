"""What a study says of its films, in words for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["film_words"]


def film_words(facts: Mapping[str, Any]) -> str:
    """One line: what the film is worth, what was done to it, and how the patient was placed; "" where nothing is known.

    Parameters
    ----------
    facts : the film's map in the study's provenance (``neuralgraph.sources.films.facts`` lists its members).
    """
    said = []
    if quality := facts.get("quality"):
        span = facts.get("grey_span")
        of = f", {span:.0%} of the grey scale" if isinstance(span, float) else ""
        said.append(f"{quality}{of}")
    if rescue := facts.get("rescue"):
        said.append(f"not shown as its header first asks: {rescue}")
    if turned := facts.get("turned"):
        said.append(f"{turned} (by its {_WHY.get(facts.get('turned_by', ''), 'source')})")
    if facts.get("orientation") == "unclear":
        said.append("patient orientation unclear, left as stored")
    if facts.get("squared"):
        said.append("made of square pixels")
    size = facts.get("stored_size")
    if isinstance(size, list | tuple) and len(size) == 2:
        said.append(f"stored as {size[1]:g} x {size[0]:g}")
    if position := facts.get("position"):
        said.append(f"patient {position}")
    if facts.get("burned_in"):
        said.append("says that text is burned in")
    if lines := facts.get("text_marks"):
        said.append(f"{lines} {'line' if lines == 1 else 'lines'} of what looks like letters")
    return "; ".join(said)


_WHY = {"exif": "EXIF orientation", "patient orientation": "patient orientation"}
