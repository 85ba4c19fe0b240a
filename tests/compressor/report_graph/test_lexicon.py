from __future__ import annotations

from neuralgraph.compressor.report_graph.lexicon import expand, load_lexicon
from neuralgraph.compressor.report_graph.lines import LONGEST_SENTENCE, Lines
from neuralgraph.compressor.report_graph.words import UNKNOWN, split_words

sentences = Lines(load_lexicon()).sentences


def test_groups_expand_in_a_fixed_order() -> None:
    assert expand("effusion(s)") == ["effusion", "effusions"]
    assert expand("(o)edema") == ["edema", "oedema"]
    assert expand("granuloma(|s|ta) x(y|z)")[:3] == ["granuloma xy", "granuloma xz", "granulomas xy"]


def test_breadth_of_the_lexicon() -> None:
    lexicon = load_lexicon()
    kinds: dict[str, int] = {}
    for entry in lexicon.phrases.values():
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    assert kinds["finding"] >= 150
    assert kinds["anatomy"] >= 100
    assert len({entry.category for entry in lexicon.phrases.values() if entry.kind == "finding"}) >= 18


def test_every_word_of_the_lexicon_can_be_met_in_a_report() -> None:
    lexicon = load_lexicon()
    assert not any(UNKNOWN in words for words in lexicon.phrases)
    assert all(words == split_words(" ".join(words)) for words in (*lexicon.phrases, *lexicon.cues.roles))
    assert not any(" ".join(words) == "xxxx" for words in lexicon.phrases)


def test_sentences_and_their_places() -> None:
    text = "Left apex.There is\n a 3.2 cm mass vs. scar.\n\nNo X-ray ___ effusion"
    found = [sentence.words for sentence in sentences(text)]
    assert found == [
        ("left", "apex"),
        ("there", "is", "a", "0", "cm", "mass", "vs", "scar"),
        ("no", "x", "ray", "xxxx", "effusion"),
    ]
    for sentence in sentences(text):
        for word, (start, end) in zip(sentence.words, sentence.places, strict=True):
            assert text[start:end].lower() == {"0": "3.2", "xxxx": "___"}.get(word, word)


def test_text_without_stops_is_cut() -> None:
    assert [len(sentence.words) for sentence in sentences("a " * 450)] == [LONGEST_SENTENCE, LONGEST_SENTENCE, 50]


def test_no_cue_that_denies_is_shadowed_by_one_that_does_not() -> None:
    roles = load_lexicon().cues.roles
    for words in (
        ("resolution", "of"),
        ("no",),
        ("not",),
        ("without",),
        ("not", "seen"),
        ("absence", "of"),
        ("no", "evidence", "of"),
    ):
        assert roles[words].startswith("absent"), words
    assert {roles[(word,)] for word in ("possible", "unlikely", "doubtful")} == {"uncertain_either"}
