"""Reports: varied sentences over the truth of a film, with the span of every phrase that speaks of a finding."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from neuralgraph.phantoms import phrases
from neuralgraph.phantoms.findings import FINDINGS, Lesion

__all__ = ["Told", "write_report"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """What the writer knows of one study."""

    lesions: tuple[Lesion, ...]
    uncertain: frozenset[str]
    """Names of lesions the report hedges."""
    trends: Mapping[str, str]
    """Name to a key of TREND_CLAUSES; missing is "" (no prior study)."""
    resolved: tuple[Lesion, ...]
    """What the previous study showed and this one does not."""
    distractors: tuple[tuple[str, str], ...]
    """(name, side) of devices and harmless changes."""
    view: str
    female: bool
    pneumonia: bool
    follow_up: bool
    """An earlier study of this patient exists."""


class _Writer:
    """Appends sentences and keeps the spans of marked phrases per finding."""

    def __init__(self) -> None:
        self.text = ""
        self.spans: dict[str, list[tuple[int, int]]] = {}

    def heading(self, title: str) -> None:
        self.text += ("\n" if self.text else "") + title + ":"

    def say(self, sentence: str, keys: Sequence[Sequence[str]] = ()) -> None:
        """Append a sentence; the n-th "<...>" of it belongs to the findings keys[n]."""
        self.text += " "
        start = len(self.text)
        marks = iter(keys)
        opened = start
        for character in sentence:
            if character == "<":
                opened = len(self.text)
            elif character == ">":
                for key in next(marks):
                    self.spans.setdefault(key, []).append((opened, len(self.text)))
            else:
                self.text += character
        self.text = self.text[:start] + self.text[start : start + 1].upper() + self.text[start + 1 :]


class _Chooser:
    """Picks wordings; with variety 0 always the first, with 1 any with equal chance."""

    def __init__(self, rng: np.random.Generator, variety: float) -> None:
        self._rng, self._variety = rng, variety

    def one(self, options: Sequence[str]) -> str:
        chance, index = self._rng.random(), int(self._rng.integers(0, len(options)))
        return options[index] if chance < self._variety else options[0]

    def happens(self, probability: float) -> bool:
        return bool(self._rng.random() < probability)

    def varied(self, probability: float) -> bool:
        """True with the probability, scaled by the variety; for deviations from the plain form."""
        return bool(self._rng.random() < probability * self._variety)

    def shuffled(self, items: list[str]) -> list[str]:
        order = self._rng.permutation(len(items))
        return [items[index] for index in order] if self._rng.random() < self._variety else items


def write_report(
    told: Told, rng: np.random.Generator, *, variety: float
) -> tuple[str, dict[str, list[tuple[int, int]]]]:
    """Write one report.

    Parameters
    ----------
    variety : 0 always takes the plainest wording and order, 1 takes any with equal chance.

    Returns
    -------
    report : sections INDICATION, COMPARISON (not always), FINDINGS, IMPRESSION; one per line.
    spans : finding name to its phrases (start, end) in code points, ascending. Names of lesions in the film are always
        there; other names are there when the report denies them. INDICATION and COMPARISON never hold a span.
    """
    writer, choose = _Writer(), _Chooser(rng, variety)
    _indication(writer, choose, told)
    if told.follow_up or choose.varied(0.25):
        writer.heading("COMPARISON")
        writer.say(choose.one(phrases.COMPARISONS) if told.follow_up else "None.")
    form = "both"
    if choose.varied(0.1):
        form = "findings" if choose.happens(0.5) else "impression"
    if form != "impression":
        _findings(writer, choose, told)
    if form != "findings":
        _impression(writer, choose, told)
    return writer.text, {name: sorted(writer.spans[name]) for name in FINDINGS if name in writer.spans}


def _indication(writer: _Writer, choose: _Chooser, told: Told) -> None:
    writer.heading("INDICATION")
    leaking = choose.happens(0.7 if told.pneumonia else 0.3)
    wording = choose.one(phrases.INDICATIONS_LEAKING if leaking else phrases.INDICATIONS)
    writer.say(wording.replace("{person}", "woman" if told.female else "man"))


def _findings(writer: _Writer, choose: _Chooser, told: Told) -> None:
    writer.heading("FINDINGS")
    if choose.varied(0.25):
        writer.say(f"{told.view} view of the chest.")
    present = {lesion.name: lesion for lesion in told.lesions}
    gone = {lesion.name: lesion for lesion in told.resolved if choose.happens(0.7)}
    parts = ["lungs", "pleura", "heart"]
    for part in choose.shuffled(parts):
        if part == "lungs":
            _lungs(writer, choose, told, present, gone)
        elif part == "pleura":
            _pleura(writer, choose, told, present, gone)
        elif "cardiomegaly" in present:
            _present(writer, choose, told, present["cardiomegaly"])
        elif choose.happens(0.9):
            writer.say(choose.one(phrases.HEART_NORMAL), [["cardiomegaly"]])
    for name, side in told.distractors:
        if choose.happens(0.85):
            writer.say(choose.one(phrases.DISTRACTOR_SENTENCES[name]).replace("{side}", side))


def _lungs(
    writer: _Writer, choose: _Chooser, told: Told, present: Mapping[str, Lesion], gone: Mapping[str, Lesion]
) -> None:
    own = [name for name in ("opacity", "consolidation", "nodule", "atelectasis") if name in present]
    for name in choose.shuffled(own):
        _present(writer, choose, told, present[name])
    resolved = [name for name in ("opacity", "consolidation", "atelectasis") if name in gone]
    for name in resolved:
        _resolved(writer, choose, gone[name])
    if not own and not resolved and choose.happens(0.75):
        writer.say(choose.one(phrases.CLEAR_LUNGS), [["opacity", "consolidation"]])
    elif "consolidation" not in present and "consolidation" not in resolved and choose.happens(0.7):
        _absent(writer, choose, ["consolidation"])
    if "nodule" not in present and choose.varied(0.15):
        _absent(writer, choose, ["nodule"])


def _pleura(
    writer: _Writer, choose: _Chooser, told: Told, present: Mapping[str, Lesion], gone: Mapping[str, Lesion]
) -> None:
    for name in ("pleural effusion", "pneumothorax"):
        if name in present:
            _present(writer, choose, told, present[name])
        elif name in gone:
            _resolved(writer, choose, gone[name])
    absent = [n for n in ("pleural effusion", "pneumothorax") if n not in present and n not in gone]
    if absent and choose.happens(0.92):
        _absent(writer, choose, choose.shuffled(absent))


def _absent(writer: _Writer, choose: _Chooser, names: list[str]) -> None:
    words = [choose.one(phrases.ABSENT[name]) for name in names]
    writer.say(choose.one(phrases.ABSENT_FRAMES[len(names)]).format(*words), [[name] for name in names])


def _resolved(writer: _Writer, choose: _Chooser, lesion: Lesion) -> None:
    side = "" if lesion.side == "bilateral" else lesion.side + " "
    sentences = (
        f"The previously seen <{side}{lesion.name}> has resolved.",
        f"<{side}{lesion.name}> is no longer seen.",
    )
    writer.say(choose.one(sentences), [[lesion.name]])


def _present(writer: _Writer, choose: _Chooser, told: Told, lesion: Lesion) -> None:
    trend = choose.one(phrases.TREND_CLAUSES[told.trends.get(lesion.name, "")])
    hedged = lesion.name in told.uncertain
    phrase, article, plural = _noun_phrase(choose, lesion)
    if hedged:
        frame = choose.one(phrases.UNCERTAIN_FRAMES)
        if plural:
            frame = phrases.UNCERTAIN_FRAMES[0]
    elif lesion.name == "cardiomegaly":
        frame = choose.one(phrases.HEART_ENLARGED)
    else:
        frame = choose.one(phrases.PLURAL_FRAMES if plural else phrases.PRESENT_FRAMES)
    adverb = {"mild": "mildly", "moderate": "moderately", "marked": "markedly"}.get(_degree(lesion), "")
    writer.say(frame.format(phrase=phrase, a=article, adverb=adverb, trend=trend), [[lesion.name]])


def _degree(lesion: Lesion) -> str:
    return phrases.DEGREE[lesion.name][lesion.level]


def _noun_phrase(choose: _Chooser, lesion: Lesion) -> tuple[str, str, bool]:
    """The words for a lesion with degree, side and place; its article with a blank, or ""; whether it is a plural."""
    degree = _degree(lesion)
    noun = choose.one(phrases.NOUNS[lesion.name])
    plural = lesion.side == "bilateral"
    if plural and lesion.name == "opacity":
        noun = noun.replace("opacity", "opacities")
    if lesion.name == "cardiomegaly":
        words = [degree, noun]
    elif lesion.name == "pleural effusion" and plural:
        words = [degree, "bilateral", "pleural effusions"]
    elif lesion.name in ("pleural effusion", "pneumothorax"):
        side = choose.one((lesion.side, f"{lesion.side}-sided"))
        words = [degree, side, noun]
    else:
        place = choose.one(phrases.PLACES[lesion.side, lesion.zone])
        if lesion.name == "nodule" and choose.varied(0.4):
            # Radii are in body units of 18 cm; the diameter is what a reader measures.
            degree = f"{round(360.0 * (0.036, 0.050, 0.068)[lesion.level] * lesion.size)} mm"
        the = "" if place.startswith(("bilateral", "both")) else "the "
        words = [degree, noun, "in", the + place]
    text = " ".join(word for word in words if word)
    if plural or lesion.name in ("cardiomegaly", "atelectasis", "consolidation"):
        return text, "", plural
    return text, ("an " if text[0] in "aeiou" or text.startswith("8") else "a "), plural


def _impression(writer: _Writer, choose: _Chooser, told: Told) -> None:
    writer.heading("IMPRESSION")
    if not told.lesions:
        writer.say(choose.one(phrases.NORMAL_IMPRESSIONS))
    else:
        rank = ("pneumothorax", "consolidation", "opacity", "pleural effusion", "nodule", "atelectasis", "cardiomegaly")
        by_name = {lesion.name: lesion for lesion in told.lesions}
        for name in choose.shuffled([name for name in rank if name in by_name]):
            phrase, _, _ = _noun_phrase(choose, by_name[name])
            hedge = choose.one(("possible ", "questionable ")) if name in told.uncertain else ""
            tail = ""
            if name == "consolidation" or (name == "opacity" and by_name[name].level > 0):
                tail = choose.one((", concerning for pneumonia", " suggestive of pneumonia", ", likely pneumonia"))
            writer.say(f"{hedge}<{phrase}>{tail}.", [[name]])
    if not told.pneumonia and choose.varied(0.25):
        writer.say("No evidence of pneumonia.")
