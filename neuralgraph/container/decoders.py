"""What a reader brings along to decode streams: codecs of private agreements, codebooks, and dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field

from neuralgraph.codecs.codebook import CodebookLookup, no_codebook
from neuralgraph.codecs.dictionary import DictionaryLookup, no_dictionary
from neuralgraph.codecs.forms import Form
from neuralgraph.codecs.klt import Klt
from neuralgraph.codecs.registry import ExtraCodecs

__all__ = ["Decoders"]


@dataclass(frozen=True)
class Decoders:
    """All three, none by default."""

    extra_codecs: ExtraCodecs = field(default_factory=dict)
    """Decoders of private encodings, by id."""
    find_codebook: CodebookLookup = no_codebook
    """The codebook of a digest, wherever it is."""
    find_dictionary: DictionaryLookup = no_dictionary
    """The dictionary of an id, in the file."""

    def form(self, form: Form) -> Form:
        """``form``, able to find its codebook if it needs one."""
        return form.for_reader(self.find_codebook) if isinstance(form, Klt) else form
