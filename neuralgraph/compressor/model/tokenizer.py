"""Report text to token ids and back, through one ``tokenizer.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from neuralgraph.errors import ModelError, SourceError

__all__ = ["END", "PADDING", "ReportTokenizer", "train_tokenizer"]

TOKENIZER_NAME = "tokenizer.json"
PADDING, END = "<pad>", "</s>"
"""The special tokens of a tokenizer trained here, ids 0 and 1 as in T5; padding also starts the decoder."""


def train_tokenizer(texts: Iterable[str], *, vocabulary: int) -> Tokenizer:
    """A byte-level BPE tokenizer: every text round-trips, known words become few tokens.

    Parameters
    ----------
    texts : the text to learn from; the same texts give the same tokenizer.
    vocabulary : number of tokens, at least the 256 bytes and two special ones.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            # Digits stay single, or measurements and ages would fill the vocabulary.
            pre_tokenizers.Split(Regex(r"\p{N}"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PADDING, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return tokenizer


class ReportTokenizer:
    """A tokenizer as the scorer uses it: no token is added, and no text of a report is ever taken for a special token.

    Parameters
    ----------
    tokenizer : any tokenizer of the ``tokenizers`` library; that of a T5 works as well as the bundled one.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        # A report that holds the letters "</s>" must not end there.
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        added = tokenizer.get_added_tokens_decoder()
        self.special_ids: frozenset[int] = frozenset(number for number, token in added.items() if token.special)

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without any special token added.

        Raises
        ------
        SourceError (E_SOURCE_TEXT) : the text holds lone surrogates, which no encoding can carry.
        """
        return self.encode_places(text)[0]

    def encode_places(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Token ids as ``encode``, and the code points of the text that each stands for, end excluded.

        Tokens that share one code point, as the bytes of a rare letter do, have the same place.
        """
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise SourceError("the report holds characters that are not text", code="E_SOURCE_TEXT") from error
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return list(found.ids), [(int(start), int(end)) for start, end in found.offsets]

    def decoded_places(self, ids: Sequence[int]) -> list[tuple[int, int]]:
        """The code points of ``decode(ids)`` that each token stands for, end excluded."""
        # A letter cut in its middle decodes to more signs than the whole letter: no end lies beyond that of the text.
        whole = len(self.decode(ids))
        ends = [min(whole, len(self.decode(ids[:count]))) for count in range(1, len(ids) + 1)]
        ends = list(accumulate(ends, max))
        return list(zip([0, *ends], ends, strict=False))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of token ids, special tokens left out; the exact inverse of ``encode`` for the bundled tokenizer."""
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    @classmethod
    def read(cls, directory: Path) -> ReportTokenizer:
        """Load ``tokenizer.json``.

        Raises
        ------
        ModelError (E_MODEL) : it is not a tokenizer.
        """
        try:
            content = (directory / TOKENIZER_NAME).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ModelError("the tokenizer cannot be read", code="E_MODEL", where=TOKENIZER_NAME) from error
        try:
            return cls(Tokenizer.from_str(content))
        # The library raises bare Exception, and nothing narrower, for everything wrong in the file.
        except Exception as error:
            raise ModelError("this is not a tokenizer.json", code="E_MODEL", where=TOKENIZER_NAME) from error

    def write(self, directory: Path) -> None:
        """Write ``tokenizer.json``, and the small file by which transformers knows which tokens are special."""
        (directory / TOKENIZER_NAME).write_text(self._tokenizer.to_str(pretty=False), encoding="utf-8", newline="\n")
        names = {"pad_token": PADDING, "eos_token": END, "clean_up_tokenization_spaces": False}
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
        (directory / "tokenizer_config.json").write_text(
            json.dumps(settings, indent=2) + "\n", encoding="utf-8", newline="\n"
        )
