"""RadGraph's graphs: of its package, or of annotations that a data set ships (Jain et al. 2021; CheXpert Plus).

Both come in the schema that ``neuralgraph.adapters.radgraph`` reads. Their spans count the tokens of a text of their
own, so the tokens are found again in the report, one after another.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neuralgraph.adapters import radgraph as schema
from neuralgraph.compressor.report_graph.result import ReportGraph
from neuralgraph.compressor.report_graph.sections import Part, SectionChoice, check_choice, parts_to_read, read_parts
from neuralgraph.errors import ModelError, SourceError, missing_extra
from neuralgraph.graph.concepts import Concept
from neuralgraph.wire.composed import composed
from neuralgraph.wire.json_reading import parsed_json

__all__ = ["RadGraphExtractor", "RadGraphJsonExtractor"]

_KEYS = ("path_to_image", "path", "image_path", "study_id", "id", "doc_key")
"""Members by which annotations name the film or report they belong to."""
_WORD = re.compile(r"\w+")


class RadGraphExtractor:
    """The ``radgraph`` package, which must be installed and fetches its weights itself when it is first used.

    Parameters
    ----------
    model_type : which of its models.
    sections : which part of the report it reads; see ``RulesExtractor``.
    annotate : texts to the package's document; the package itself when None.

    Raises
    ------
    ModelError (E_MODEL) : an unknown choice of sections.
    """

    name = "radgraph"

    def __init__(
        self,
        *,
        model_type: str = "radgraph-xl",
        sections: SectionChoice = "findings+impression",
        annotate: Callable[[list[str]], Mapping[str, Any]] | None = None,
    ) -> None:
        check_choice(sections)
        self.sections: SectionChoice = sections
        self.model_type = model_type
        self._annotate = annotate

    @property
    def version(self) -> str:
        """Version of the package, "given" for an annotator of the caller's."""
        if self._annotate is not None and not hasattr(self._annotate, "model_type"):
            return "given"
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("radgraph")
        except PackageNotFoundError:
            return "unknown"

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over model and choice of sections."""
        return hashlib.sha256(f"{self.model_type} {self.sections}".encode()).hexdigest()

    def __call__(
        self,
        texts: Sequence[str],
        keys: Sequence[str | None] | None = None,  # noqa: ARG002  # the package reads the text alone
    ) -> list[ReportGraph]:
        """One graph per report, in order.

        Raises
        ------
        MissingExtraError (E_EXTRA) : the package is not installed.
        ModelError (E_MODEL) : it cannot be loaded, or gives no graph for a report.
        StudyError : what it gives does not follow its schema.
        """
        if self._annotate is None:
            self._annotate = _package(self.model_type)
        parts = [read_parts(text, self.sections) for text in texts]
        read = [_masked(text, [(part.start, part.end) for part in own]) for text, own in zip(texts, parts, strict=True)]
        # The package refuses texts without a word.
        wordy = [number for number, text in enumerate(read) if _WORD.search(text)]
        document = self._annotate([read[number] for number in wordy]) if wordy else {}
        graphs = [ReportGraph() for _ in texts]
        for place, number in enumerate(wordy):
            entry = document.get(str(place))
            if entry is None:
                raise ModelError(f"radgraph gave no graph for report {number}", code="E_MODEL", where="radgraph")
            graphs[number] = _aligned(entry, read[number], parts[number])
        return graphs


class RadGraphJsonExtractor:
    """Annotations made before, read from a file: a map of entries by key, a list of entries, or an entry per line.

    An entry is found by the key of its study (its place in the map, or its member ``path_to_image``, ``path``,
    ``study_id``, ``id`` or ``doc_key``), else by its words, which must be those of the report or of a part of it.

    Parameters
    ----------
    annotations : the file, JSON or JSON lines, UTF-8.

    Raises
    ------
    SourceError (E_SOURCE_TEXT) : the file cannot be read, or holds no annotations.
    """

    name = "radgraph-json"
    version = "1"

    def __init__(self, *, annotations: str | os.PathLike[str]) -> None:
        try:
            content = Path(annotations).read_bytes()
            entries = list(_entries(content.decode()))
        except (OSError, ValueError) as error:
            raise _unreadable("the annotations cannot be read as JSON or JSON lines") from error
        if not entries:
            raise _unreadable("the file holds no RadGraph annotations")
        self.fingerprint = hashlib.sha256(content).hexdigest()
        self._by_key = {key: entry for keys, entry in entries for key in keys}
        self._by_words = {_words(entry["text"]): entry for _, entry in entries}

    def __call__(self, texts: Sequence[str], keys: Sequence[str | None] | None = None) -> list[ReportGraph]:
        """One graph per report, in order.

        Parameters
        ----------
        texts : the reports.
        keys : the key of each, None where there is none.

        Raises
        ------
        SourceError (E_SOURCE_TEXT) : a report has no annotations.
        StudyError : an entry does not follow the schema.
        """
        given = list(keys) if keys is not None else [None] * len(texts)
        return [
            _aligned(self._entry(text, key), text, read_parts(text)) for text, key in zip(texts, given, strict=True)
        ]

    def _entry(self, text: str, key: str | None) -> Mapping[str, Any]:
        found = self._by_key.get(key) if key is not None else None
        if found is None:
            parts = parts_to_read(text, "impression"), parts_to_read(text, "findings+impression"), [(0, len(text))]
            words = (_words(" ".join(text[start:end] for start, end in part)) for part in parts)
            found = next((self._by_words[each] for each in words if each in self._by_words), None)
        if found is None:
            raise _unreadable("no annotations have this report's key or its words")
        return found


def _package(model_type: str) -> Callable[[list[str]], Mapping[str, Any]]:
    try:
        from radgraph import RadGraph  # type: ignore[import-not-found,unused-ignore]  # optional, and has no types
    except ImportError as error:
        raise missing_extra("reading reports with RadGraph", extra="", library="radgraph") from error
    try:
        annotate: Callable[[list[str]], Mapping[str, Any]] = RadGraph(model_type=model_type)
    # The package raises bare Exception when its weights cannot be fetched.
    except Exception as error:
        raise ModelError(
            f"the RadGraph model {model_type} cannot be loaded", code="E_MODEL", where="radgraph"
        ) from error
    return annotate


def _unreadable(reason: str) -> SourceError:
    return SourceError(reason, code="E_SOURCE_TEXT", where="annotations")


def _entries(text: str) -> Iterable[tuple[list[str], Mapping[str, Any]]]:
    """Keys and entry of every annotation."""
    try:
        documents = [parsed_json(text)]
    except ValueError:
        documents = [parsed_json(line) for line in text.splitlines() if line.strip()]
    for document in documents:
        pairs = document.items() if isinstance(document, dict) and "entities" not in document else ()
        loose = document if isinstance(document, list) else [] if pairs else [document]
        for key, entry in [*pairs, *((None, one) for one in loose)]:
            own = entry if isinstance(entry, dict) else {}
            names = [str(own[name]) for name in _KEYS if name in own] + ([str(key)] if key is not None else [])
            # Some ship the document of the package, with its one entry under "0", as the entry.
            inner = own if "entities" in own else next((one for one in own.values() if isinstance(one, dict)), {})
            if "entities" in inner and isinstance(inner.get("text"), str):
                yield names, inner


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))


def _masked(text: str, parts: Sequence[tuple[int, int]]) -> str:
    """The text with spaces where it is not to be read, so that places stay what they are."""
    kept = [" "] * len(text)
    for start, end in parts:
        kept[start:end] = text[start:end]
    return "".join(kept)


def _aligned(entry: Mapping[str, Any], text: str, parts: Sequence[Part]) -> ReportGraph:
    """The graph of an entry, its spans moved into the report, its concepts with the sections they stand in."""
    graph = schema.from_radgraph({"report": entry})["report"]
    places = _places(graph.text.split(" ") if graph.text else [], text)
    ends, at = [], 0
    for token in graph.text.split(" "):
        at += len(token) + 1
        ends.append(at)
    concepts = []
    for concept in graph.concepts:
        first = next(number for number, end in enumerate(ends) if concept.start < end)
        last = next(number for number, end in enumerate(ends) if concept.end <= end)
        words = composed(" ".join(concept.text.split()))
        start = places[first][0]
        section = next((part.section for part in parts if part.start <= start < part.end), "unknown")
        concepts.append(Concept(words, concept.label, start, max(places[last][1], start + 1), section))
    return ReportGraph.ordered(concepts, graph.triples.tolist())


def _places(tokens: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Where each token stands in the report; a token that is not there takes the place where the search stood."""
    low = text.lower()
    # Lower case may change lengths; then places are those of the exact letters only.
    low = low if len(low) == len(text) else text
    places, at = [], 0
    for token in tokens:
        found = low.find(token.lower(), at)
        if found >= 0 and _WORD.search(low[at:found]) is not None and not token[:1].isalnum():
            found = -1  # a stop or comma of their own must not pull the search past words
        if found >= 0:
            places.append((found, found + len(token)))
            at = found + len(token)
        else:
            places.append((min(at, max(0, len(text) - 1)), min(at + 1, max(1, len(text)))))
    return places
