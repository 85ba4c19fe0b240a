"""BLEU-2 of written reports, by sacrebleu: corpus BLEU with n-grams up to 2, paired bootstrap over studies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

__all__ = ["repeats_itself", "score_reports"]

_OTHER = "report of another patient"


def score_reports(truth: Sequence[str], written: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Every way of writing against the first of them.

    Parameters
    ----------
    truth : findings and impression of each report.
    written : texts by the way they came about, in the same order; the first way is what the others are compared with.

    Returns
    -------
    dict : ``signature`` of sacrebleu, ``reports`` (how many), ``words`` (mean of the true ones), and for every way its
        own ``words``, ``repeating`` (share of texts) and ``bleu2`` (0 to 1) with ``low`` and ``high`` (95 %, mean of
        the bootstrap +- its interval) and ``p_value`` against the first.
    """
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    metric = BLEU(max_ngram_order=2)
    systems = [(name, list(texts)) for name, texts in written.items()]
    # Another patient's report says how much of a score is the template that all reports share.
    systems.append((_OTHER, [*truth[1:], truth[0]]))
    signatures, results = PairedTest(systems, {"BLEU": metric}, [list(truth)], test_type="bs", n_samples=1000)()
    ways = {}
    for (name, texts), result in zip(systems, results["BLEU"], strict=True):
        ways[name] = {
            "words": fmean(len(text.split()) for text in texts),
            "repeating": fmean(repeats_itself(text) for text in texts),
            "bleu2": result.score / 100,
            "low": (result.mean - result.ci) / 100,
            "high": (result.mean + result.ci) / 100,
            "p_value": result.p_value,
        }
    words = fmean(len(text.split()) for text in truth)
    return {"signature": str(signatures["BLEU"]), "reports": len(truth), "words": words, "ways": ways}


def repeats_itself(text: str) -> bool:
    """Whether a sentence stands in the text three times: findings and impression may say the same thing once each."""
    sentences = Counter(part.strip().lower() for part in re.split(r"[.\n:]", text) if part.strip())
    return max(sentences.values(), default=0) >= 3
