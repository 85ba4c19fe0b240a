"""Whether a report is in English, by its small words: no model, no library, a few microseconds.

The names of findings are alike in many languages ("Pneumothorax", "Cardiomegalia"), so a rule that reads English finds
them in a German denial and asserts them. Terse English has few small words, or none ("Pneumothorax, left."); only
words of another language, more than there are English ones, or a script other than the Latin one, refuse a text.
"""

from __future__ import annotations

import re
from functools import cache

from neuralgraph.compressor.report_graph.lexicon import load_lexicon

__all__ = ["is_another_language"]

_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 400
"""Words that are looked at: a report does not change its language."""
_FEWEST_WORDS = 12
"""Words from which on a text with hardly an English one is another language, though none of those listed."""
_SHORT = 3
_KNOWN_SHARE = 0.15


@cache
def _weights() -> dict[str, int]:
    """The weight of each word that only other languages have: short ones, parts of names too, weigh less."""
    lexicon = load_lexicon()
    return {word: 2 if len(word) > _SHORT else 1 for word in lexicon.foreign - lexicon.english}


def is_another_language(text: str) -> bool:
    """Whether a text is written in another language than English.

    Parameters
    ----------
    text : a report; one without words is no other language.
    """
    english, others = load_lexicon().english, _weights()
    found = _WORD.findall(text.lower(), 0, 6000)[:_MOST_WORDS]
    if not found:
        return False
    latin = sum(word[0] < "\u0250" or "\u1e00" <= word[0] <= "\u1eff" for word in found)
    if latin * 2 < len(found):
        return True
    foreign = familiar = 0
    for word in found:
        if word in english:
            familiar += 1
        else:
            weight = others.get(word)
            if weight is not None:
                foreign += weight
    if foreign and foreign > familiar:
        return True
    return len(found) >= _FEWEST_WORDS and familiar < _KNOWN_SHARE * len(found)
