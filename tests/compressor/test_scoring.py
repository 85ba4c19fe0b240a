from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import BaseModelOutput

from neuralgraph.compressor import scoring
from neuralgraph.compressor.attention import attention_scores
from neuralgraph.compressor.scoring import score_reports
from neuralgraph.errors import LimitError, SourceError

REPORTS = (
    "No effusion.",
    "Patchy opacity in the right lower lobe may represent pneumonia.",
    "Clear",
)


@pytest.fixture
def encoded(tiny_model):
    with torch.inference_mode():
        return tiny_model.encode(torch.randn(3, 1, 24, 40, generator=torch.Generator().manual_seed(1)))


def one(encoded, number):
    return encoded._replace(
        embedding=encoded.embedding[number : number + 1], memory=encoded.memory[number : number + 1]
    )


def test_position_t_predicts_token_t(tiny_model, tokenizer, encoded):
    ids = tokenizer.encode(REPORTS[1])
    reads = torch.tensor([[0, *ids[:-1]]])
    everything = torch.ones(1, len(ids), dtype=torch.bool)
    with torch.inference_mode():
        result = score_reports(tiny_model, tokenizer, one(encoded, 1), REPORTS[1:2])[0]
        expected = attention_scores(tiny_model, encoded.memory[1:2], reads, everything)[0]
    assert np.array_equal(result.score, expected.numpy())
    assert result.score.dtype == np.float32
    assert (result.text, result.generated, result.tokens) == (REPORTS[1], False, len(ids))
    assert result.score.sum() == pytest.approx(len(ids), rel=1e-5)


def test_together_and_alone_agree(tiny_model, tokenizer, encoded):
    with torch.inference_mode():
        together = score_reports(tiny_model, tokenizer, encoded, [REPORTS[0], None, REPORTS[2]])
        for number, report in ((0, REPORTS[0]), (1, None), (2, REPORTS[2])):
            alone = score_reports(tiny_model, tokenizer, one(encoded, number), [report])[0]
            assert np.allclose(alone.score, together[number].score, rtol=1e-5, atol=1e-5)
            assert alone.text == together[number].text
            assert alone.tokens == together[number].tokens


def test_special_tokens_do_not_count(tiny_model, tokenizer):
    reads, counted = scoring.teacher_forcing(tiny_model, tokenizer, [[5, 0, 9, 1], [7], []])
    assert reads.tolist() == [[0, 5, 0, 9], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert counted.tolist() == [[True, False, True, False], [True, False, False, False], [False] * 4]


@pytest.mark.parametrize("absent", [None, "", " \n\t"])
def test_without_a_report_the_decoder_writes_one_and_its_own_attention_is_summed(
    tiny_model, tokenizer, encoded, absent
):
    with torch.inference_mode():
        result = score_reports(tiny_model, tokenizer, one(encoded, 0), [absent])[0]
        memory = encoded.memory[:1]
        tiny_model.text.set_attn_implementation("eager")
        written = tiny_model.text.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            attention_mask=torch.ones(memory.shape[:2], dtype=torch.long),
            max_new_tokens=12,
            do_sample=False,
            suppress_tokens=[0],
            output_attentions=True,
            return_dict_in_generate=True,
        )
    assert result.generated
    assert result.tokens == 12
    # One entry per step, the last layer of each: [1, heads, 1, patches].
    expected = sum(step[-1][0, :, 0].mean(dim=0) for step in written.cross_attentions)
    assert np.allclose(result.score, expected.numpy(), rtol=1e-5, atol=1e-5)


def test_writing_nothing_is_said_and_the_start_token_stands_in(tiny_model, tokenizer, encoded, monkeypatch):
    monkeypatch.setattr(tiny_model, "generate", lambda encoded: torch.tensor([[1, 0, 0]]))
    with torch.inference_mode():
        result = score_reports(tiny_model, tokenizer, one(encoded, 0), [None])[0]
        start = attention_scores(tiny_model, encoded.memory[:1], torch.tensor([[0]]), torch.tensor([[True]]))[0]
    assert (result.generated, result.text, result.tokens) == (True, "", 0)
    assert np.array_equal(result.score, start.numpy())


def test_what_is_written_holds_only_what_can_be_printed(tiny_model, tokenizer, encoded, monkeypatch):
    ids = tokenizer.encode("ok\x07\x00 fine\n") + tokenizer.encode("é")[:1] + [1]
    monkeypatch.setattr(tiny_model, "generate", lambda encoded: torch.tensor([ids]))
    with torch.inference_mode():
        result = score_reports(tiny_model, tokenizer, one(encoded, 0), [None])[0]
    assert result.text == "ok   fine"
    assert result.tokens == len(ids) - 1


def test_a_report_beyond_the_limit_is_refused_not_cut(tiny_model, tokenizer, encoded):
    with pytest.raises(LimitError, match="takes 400") as caught:
        score_reports(tiny_model, tokenizer, one(encoded, 0), ["effusion " * 500])
    assert caught.value.code == "E_LIMIT"


def test_a_report_that_is_not_text_is_refused(tiny_model, tokenizer, encoded):
    with pytest.raises(SourceError) as caught:
        score_reports(tiny_model, tokenizer, one(encoded, 0), ["bad \ud800"])
    assert caught.value.code == "E_SOURCE_TEXT"
