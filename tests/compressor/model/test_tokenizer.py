from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralgraph.compressor.model.report_language import sentences
from neuralgraph.compressor.model.tokenizer import ReportTokenizer, train_tokenizer
from neuralgraph.errors import ModelError

REPORT = "PA view. The heart is 12.5 cm wide; no pleural effusion (compare 3/4), ?nodule in the right upper lobe."


@given(text=st.text())
def test_any_text_comes_back(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not tokenizer.special_ids & set(ids)


@pytest.mark.parametrize("text", ["</s>", "a</s>b", "<pad>", "  two  spaces ", "\r\n\t", "\x00", "Lungenödem 肺炎 🫁"])
def test_no_text_is_special(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not tokenizer.special_ids & set(ids)


def test_blank_gives_no_tokens_only_when_empty(tokenizer):
    assert tokenizer.encode("") == []
    assert tokenizer.encode(" ") != []


def test_the_words_of_the_field_are_short(tokenizer):
    for word in (" pneumothorax", " effusion", " opacity", " right", " normal", " pneumonia", " no", " lobe"):
        assert len(tokenizer.encode(word)) == 1, word
    assert len(tokenizer.encode(REPORT)) < 2.2 * len(REPORT.split())


def test_digits_stay_single(tokenizer):
    assert [tokenizer.decode([number]) for number in tokenizer.encode("1234")] == ["1", "2", "3", "4"]


def test_transformers_reads_the_same_tokenizer(demo_directory, tokenizer):
    from transformers import PreTrainedTokenizerFast

    loaded = PreTrainedTokenizerFast.from_pretrained(demo_directory)
    assert (loaded.pad_token_id, loaded.eos_token_id) == (0, 1)
    assert loaded.encode(REPORT, add_special_tokens=False) == tokenizer.encode(REPORT)
    assert loaded.decode(tokenizer.encode(REPORT)) == REPORT


def test_the_same_texts_give_the_same_tokenizer():
    texts = list(sentences(300))
    assert train_tokenizer(texts, vocabulary=400).to_str() == train_tokenizer(texts, vocabulary=400).to_str()


def test_the_language_is_clean_text():
    texts = list(sentences(2000))
    assert texts == list(sentences(2000))
    assert all(text.isascii() and not re.search(r"[{}|]|  ", text) for text in texts)


def test_what_is_no_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "Imaginary"}}')
    with pytest.raises(ModelError, match="not a tokenizer"):
        ReportTokenizer.read(tmp_path)
