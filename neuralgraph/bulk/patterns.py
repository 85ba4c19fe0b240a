"""Many identifiers searched for at once, in every form that each may take: one automaton, one pass over the bytes.

The automaton (Aho and Corasick 1975, in the library pyahocorasick) reads each byte once, however many identifiers there
are: a search costs what the files weigh, not files times identifiers.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from neuralgraph.bulk.identifiers import Identifier
from neuralgraph.errors import missing_extra

__all__ = ["Patterns", "WrittenForm", "written_forms"]

_SHORTEST_FORM = 6
_CHUNK = 1 << 20


class WrittenForm(NamedTuple):
    """One way of writing one identifier."""

    name: str
    """ "text", "utf-16", "hex" and so on."""
    written: bytes
    any_case: bool = False


class _Meant(NamedTuple):
    """What a match may be."""

    identifier: int
    rank: int
    """Of the form among those of its identifier; the lowest that is found is told."""
    exact: bytes | None
    """The bytes that must be there, where their case counts."""


class Patterns:
    """Identifiers, ready to be searched for.

    Parameters
    ----------
    identifiers : what must not show; at least one.

    Raises
    ------
    MissingExtraError (E_EXTRA) : pyahocorasick is not installed.
    """

    def __init__(self, identifiers: Sequence[Identifier]) -> None:
        try:
            import ahocorasick
        except ImportError as error:
            raise missing_extra("an audit", extra="audit", library="pyahocorasick") from error
        self._identifiers = list(identifiers)
        self._forms = [written_forms(identifier.value) for identifier in identifiers]
        words: dict[bytes, list[_Meant]] = {}
        for number, forms in enumerate(self._forms):
            for rank, form in enumerate(forms):
                exact = None if form.any_case else form.written
                words.setdefault(form.written.lower(), []).append(_Meant(number, rank, exact))
        self._longest = max(map(len, words))
        self._automaton: Any = ahocorasick.Automaton()
        for word, meant in words.items():
            # The library reads text: every byte as the letter of its number.
            self._automaton.add_word(word.decode("latin-1"), (len(word), meant))
        self._automaton.make_automaton()

    def found_in(self, data: bytes) -> Iterator[tuple[Identifier, str]]:
        """Every identifier that is in ``data``, once, in the order given, with the first form it has there."""
        best: dict[int, int] = {}
        lowered = data.lower()
        step = max(_CHUNK, 2 * self._longest)
        for start in range(0, len(data), step):
            # What begins in one part may end in the next.
            part = lowered[start : start + step + self._longest - 1].decode("latin-1")
            for last, (length, meant) in self._automaton.iter(part):
                place = start + last + 1 - length
                for one in meant:
                    if one.rank < best.get(one.identifier, len(self._forms[one.identifier])) and (
                        one.exact is None or data[place : place + length] == one.exact
                    ):
                        best[one.identifier] = one.rank
        for number in sorted(best):
            yield self._identifiers[number], self._forms[number][best[number]].name


def written_forms(value: str) -> list[WrittenForm]:
    """Each way of writing a value; what may have any case is in small letters."""
    lowered = value.lower()
    forms = [
        WrittenForm("text", lowered.encode(errors="surrogatepass").lower(), any_case=True),
        WrittenForm("text", value.encode(errors="surrogatepass")),
    ]
    for encoding in ("utf-16-le", "utf-16-be"):
        forms.append(WrittenForm("utf-16", value.encode(encoding, errors="surrogatepass").lower(), any_case=True))
    if not value.isascii():
        forms.append(WrittenForm("latin-1", value.encode("latin-1", errors="replace")))
    for encoded in (value.encode(errors="surrogatepass"), value.encode("utf-16-le", errors="surrogatepass")):
        forms += _encodings(encoded)
    return [form for form in forms if form.name == "text" or len(form.written) >= _SHORTEST_FORM]


def _encodings(encoded: bytes) -> Iterator[WrittenForm]:
    """What else bytes may be written as."""
    yield WrittenForm("hex", encoded.hex().encode(), any_case=True)
    for shift in range(3):
        # Characters that also depend on neighbours are left off at both ends.
        text = base64.b64encode(b"\0" * shift + encoded)
        start, end = (0, 2, 3)[shift], (len(encoded) + shift) * 8 // 6
        yield WrittenForm("base64", text[start:end])
        yield WrittenForm("base64", text[start:end].translate(bytes.maketrans(b"+/", b"-_")))
    for name, label in (("md5", "md5"), ("sha1", "sha-1"), ("sha256", "sha-256")):
        digest = hashlib.new(name, encoded, usedforsecurity=False)
        yield WrittenForm(label, digest.hexdigest()[:32].encode(), any_case=True)
        yield WrittenForm(label, digest.digest()[:16])
