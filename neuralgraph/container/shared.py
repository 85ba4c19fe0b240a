"""What the records of a file lean on: its codebooks and its dictionaries (FORMAT.md sections 7.5 and 7.9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from neuralgraph.codecs.codebook import Codebook
from neuralgraph.codecs.dictionary import MAX_DICTIONARY_BYTES, Dictionary
from neuralgraph.container.contents import (
    Section,
    codebook_section,
    dictionary_section,
    is_codebook_section,
    is_dictionary_section,
)
from neuralgraph.container.pages import section_payload
from neuralgraph.container.source import ByteSource
from neuralgraph.errors import ChecksumError, CodecError

__all__ = ["Shared"]


class Shared:
    """Codebooks and dictionaries, each read and verified when it is first needed.

    Parameters
    ----------
    source : the file.
    sections : its sections by name.
    codebooks, dictionaries : those the reader brings along.
    """

    def __init__(
        self,
        source: ByteSource,
        sections: Mapping[str, Section],
        codebooks: Iterable[Codebook] = (),
        dictionaries: Iterable[Dictionary] = (),
    ) -> None:
        self._source, self._sections = source, sections
        self._codebooks = {codebook.digest: codebook for codebook in codebooks}
        self._dictionaries = {dictionary.id: dictionary for dictionary in dictionaries}

    def find_codebook(self, digest: bytes) -> Codebook | None:
        """The codebook of this digest: one the caller gave, or one the file holds.

        Raises
        ------
        FormatError (E_CRC, E_COVER, E_SIZE, E_FILTER, E_DIGEST) : the one in the file is damaged or breaks a rule.
        """
        name = codebook_section(digest)
        if digest not in self._codebooks and name in self._sections:
            codebook = self._codebook(name)
            self._codebooks[codebook.digest] = codebook
        return self._codebooks.get(digest)

    def find_dictionary(self, number: int) -> Dictionary | None:
        """The dictionary of this id, if the file holds it.

        Raises
        ------
        FormatError (E_CRC, E_COVER, E_DICT) : it is damaged or breaks a rule.
        """
        name = dictionary_section(number)
        if number not in self._dictionaries and name in self._sections:
            self._dictionaries[number] = self._dictionary(name)
        return self._dictionaries.get(number)

    def all_of_the_file(self) -> tuple[list[Codebook], list[Dictionary]]:
        """Whatever the file holds; errors as ``find_codebook`` and ``find_dictionary``."""
        codebooks = [self._codebook(name) for name in self._sections if is_codebook_section(name)]
        return codebooks, [self._dictionary(name) for name in self._sections if is_dictionary_section(name)]

    def check(self, name: str) -> None:
        """Verify a section of the file, and the rules of what it holds.

        Raises
        ------
        FormatError : as ``find_codebook`` and ``find_dictionary``.
        """
        if is_codebook_section(name):
            self._codebook(name)
        elif is_dictionary_section(name):
            self._dictionary(name)
        else:
            section_payload(self._source, self._sections[name])

    def _codebook(self, name: str) -> Codebook:
        codebook = Codebook.from_bytes(section_payload(self._source, self._sections[name]), where=name)
        if codebook_section(codebook.digest) != name:
            raise ChecksumError("the codebook is not the one that its name says", code="E_DIGEST", where=name)
        return codebook

    def _dictionary(self, name: str) -> Dictionary:
        payload = section_payload(self._source, self._sections[name])
        dictionary = Dictionary(bytes(payload[: MAX_DICTIONARY_BYTES + 1]), name)
        if dictionary_section(dictionary.id) != name:
            raise CodecError("the dictionary is not the one that its name says", code="E_DICT", where=name)
        return dictionary
