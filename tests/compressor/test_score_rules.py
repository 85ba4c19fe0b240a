"""Score rules beside the paper's sum: by hand where numbers allow it, against autograd where they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers.modeling_outputs import BaseModelOutput

from neuralgraph.compressor import Compressor
from neuralgraph.compressor.attention import attention_by_token
from neuralgraph.compressor.attention_gradient import gradient_by_token
from neuralgraph.compressor.model.mean_attention import (
    mean_attention_map,
    read_mean_attention,
    relative_to_mean,
    write_mean_attention,
)
from neuralgraph.compressor.score_rules import Scoring, tokens_within, word_maps
from neuralgraph.compressor.scored_film import ScoredFilm
from neuralgraph.compressor.scoring import printable, score_reports
from neuralgraph.errors import ModelError


@pytest.fixture
def encoded(tiny_model):
    with torch.inference_mode():
        return tiny_model.encode(torch.randn(2, 1, 24, 40, generator=torch.Generator().manual_seed(1)))


def scored(score, rows, cols):
    return ScoredFilm(np.zeros((rows * cols, 1)), np.float32(score), rows, cols, 8.0, 8.0, "", False, 1)


@pytest.mark.parametrize("layer", [-1, 0, "all"])
@pytest.mark.parametrize("heads", ["mean", "max"])
def test_the_gradient_is_that_of_autograd_through_eager_attention(tiny_model, encoded, layer, heads):
    generator = torch.Generator().manual_seed(3)
    with torch.inference_mode():  # as the scorer makes them
        ids, targets = torch.randint(2, 2048, (2, 2, 70), generator=generator)
        counted = torch.rand(2, 70, generator=generator) > 0.3
    found = torch.zeros(2, 70, 15)
    with torch.inference_mode():
        parts = gradient_by_token(tiny_model, encoded.memory, ids, targets, counted, layer=layer, heads=heads)
        for start, stop, part in parts:
            found[:, start:stop] += part
    assert not any(module._forward_hooks for module in tiny_model.modules())
    tiny_model.text.set_attn_implementation("eager")
    memory = encoded.memory.clone().requires_grad_()
    ids, targets, counted = ids.clone(), targets.clone(), counted.clone()
    run = tiny_model.text(
        encoder_outputs=BaseModelOutput(last_hidden_state=memory), decoder_input_ids=ids, output_attentions=True
    )
    likelihood = run.logits.log_softmax(-1).gather(-1, targets[:, :, None])[:, :, 0][counted].sum()
    gradients = torch.autograd.grad(likelihood, run.cross_attentions)
    products = [(a * g).detach().clamp(min=0) for a, g in zip(run.cross_attentions, gradients, strict=True)]
    reduced = torch.stack([one.mean(dim=1) if heads == "mean" else one.amax(dim=1) for one in products])
    expected = reduced.mean(dim=0) if layer == "all" else reduced[layer]
    assert expected.amax() > 0
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.amax()))
    assert all(weight.grad is None for weight in tiny_model.parameters())


def test_contrast_divides_by_the_mean_of_the_same_place():
    mean = np.array([[0.5, 1.5], [1.0, 1.0]], np.float32)
    score = np.array([[1.0, 3.0], [4.0, 0.0]], np.float32)
    assert relative_to_mean(score, mean).tolist() == [[2.0, 2.0], [4.0, 0.0]]


def test_a_place_that_is_never_looked_at_does_not_divide_by_nothing():
    mean = np.array([[0.0, 2.0]], np.float32)
    assert relative_to_mean(np.array([[1.0, 1.0]], np.float32), mean).tolist() == [[10.0, 0.5]]


def test_the_mean_map_fits_any_grid():
    mean = np.array([[1.0, 3.0]], np.float32)
    ratio = relative_to_mean(np.ones((6, 8), np.float32), mean)
    assert (ratio[:, :2] == ratio[0, 0]).all()
    assert (np.diff(ratio, axis=1) <= 0).all()


def test_every_film_counts_the_same_in_the_mean():
    mean = mean_attention_map([scored([1, 3], 1, 2), scored([30, 10], 1, 2), scored([0, 0], 1, 2)], rows=1, cols=2)
    assert mean.tolist() == [[1.0, 1.0]]
    with pytest.raises(ModelError, match="at least one film"):
        mean_attention_map([scored([0, 0], 1, 2)], rows=1, cols=2)


def test_the_mean_map_of_a_model_is_read_as_written(tmp_path):
    assert read_mean_attention(tmp_path) is None
    mean = np.array([[0.25, 1.75]], np.float32)
    write_mean_attention(tmp_path, mean)
    assert np.array_equal(read_mean_attention(tmp_path), mean)


@pytest.mark.parametrize("mean", [np.zeros((2, 2)), -np.ones((1, 1)), np.ones(3), np.full((1, 2), np.nan)])
def test_what_is_no_mean_map_is_refused(tmp_path, mean):
    write_mean_attention(tmp_path, mean.astype(np.float32))
    with pytest.raises(ModelError):
        read_mean_attention(tmp_path)


def test_a_damaged_mean_map_is_refused(tmp_path):
    (tmp_path / "mean_attention.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match="damaged"):
        read_mean_attention(tmp_path)


def test_tokens_within_spans():
    assert tokens_within([(0, 2), (2, 5), (5, 5), (5, 9)], [(1, 3), (8, 9)]) == [True, True, False, True]


def test_tokens_become_words():
    # "No effusion." as No| eff|usion|. : the space belongs to the token, not to the word.
    maps = word_maps("No effusion.", [(0, 2), (2, 6), (6, 11), (11, 12)], np.float32([[1, 0], [0, 1], [2, 2], [9, 9]]))
    assert maps.start.tolist() == [0, 3]
    assert maps.end.tolist() == [2, 11]
    assert maps.attention.tolist() == [[1, 0], [2, 3]]


def test_words_of_no_tokens_are_no_words():
    assert word_maps("...", [(0, 3)], np.ones((1, 4), np.float32)).attention.shape == (0, 4)


def test_findings_sums_the_tokens_of_findings_only(tiny_model, tokenizer, encoded):
    report = "No effusion. Right opacity."
    ids, places = tokenizer.encode_places(report)
    spans = [(19, 26)]  # opacity
    mine = torch.tensor(tokens_within(places, spans))
    assert 0 < mine.sum() < len(ids)
    with torch.inference_mode():
        results = score_reports(
            tiny_model, tokenizer, encoded, [report, "Clear."],
            scoring=Scoring(rule="findings", findings=lambda text: spans if text == report else []),
        )  # fmt: skip
        everything = score_reports(tiny_model, tokenizer, encoded, [report, "Clear."])
        parts = attention_by_token(tiny_model, encoded.memory[:1], torch.tensor([[0, *ids[:-1]]]))
        by_token = sum(part for _, _, part in parts)
    assert np.allclose(results[0].score, by_token[0, mine].sum(dim=0), atol=1e-6)
    assert results[0].tokens == mine.sum()
    assert results[0].rule == "findings"
    # A report without any finding is summed as a whole, and says so.
    assert results[1].rule == "sum"
    assert np.allclose(results[1].score, everything[1].score, atol=1e-6)


def test_words_add_up_to_the_score(tiny_model, tokenizer, encoded):
    report = "Right opacity"
    with torch.inference_mode():
        result, generated = score_reports(tiny_model, tokenizer, encoded, [report, None], words=True)
    assert [report[a:b] for a, b in zip(result.words.start, result.words.end, strict=True)] == ["Right", "opacity"]
    assert np.allclose(result.words.attention.sum(axis=0), result.score, atol=1e-5)
    text = generated.text
    assert all(text[a:b].strip() for a, b in zip(generated.words.start, generated.words.end, strict=True))


def test_places_move_with_the_letters_that_are_taken_out():
    text, moved = printable("  a\N{REPLACEMENT CHARACTER}b\x07c \n")
    assert text == "ab c"
    assert moved == [0, 0, 0, 1, 1, 2, 3, 4, 4, 4]


def test_places_of_decoded_tokens_are_those_of_the_text(tokenizer):
    ids, _ = tokenizer.encode_places("No effusion, é≥5.")
    text, places = tokenizer.decode(ids), tokenizer.decoded_places(ids)
    assert "".join(text[a:b] for a, b in places) == text
    assert tokenizer.decoded_places([]) == []


def test_unknown_rules_and_missing_parts_are_refused():
    for score, reason in (("median", "not a score rule"), ("contrast", "mean_attention")):
        if score == "contrast" and read_mean_attention_of_demo() is not None:
            continue
        with pytest.raises(ModelError, match=reason):
            Compressor.from_pretrained("demo", score=score)
    with pytest.raises(ModelError, match="needs a report graph"):
        Compressor.from_pretrained("demo", report_graph="none", score="findings")


def read_mean_attention_of_demo():
    from pathlib import Path

    import neuralgraph.compressor

    return read_mean_attention(Path(neuralgraph.compressor.__file__).parent / "demo")


@pytest.mark.parametrize("score", ["findings", "gradient"])
def test_studies_name_their_rule(score):
    compressor = Compressor.from_pretrained("demo", score=score)
    film = np.random.default_rng(0).random((96, 128))
    study = compressor(film, "Impression: right lower lobe opacity.")
    assert study.provenance["score"]["rule"] == score
    assert compressor(film, "No effusion.").provenance["score"]["rule"] == ("sum" if score == "findings" else score)


def test_a_model_with_a_mean_map_can_contrast(demo_directory, tmp_path):
    import shutil

    from neuralgraph.compressor.scorer import load_scorer

    directory = tmp_path / "model"
    shutil.copytree(demo_directory, directory)
    (directory / "mean_attention.safetensors").unlink(missing_ok=True)
    plain = load_scorer(directory)
    write_mean_attention(directory, np.array([[0.5, 1.5]], np.float32))
    contrast = load_scorer(directory, scoring=Scoring(rule="contrast"))
    assert contrast.digest != plain.digest
    film = np.random.default_rng(0).random((16, 32)).astype(np.float32)
    (one,), (other,) = plain([film], ["Opacity."]), contrast([film], ["Opacity."])
    assert np.allclose(other.score, one.score / np.array([0.5, 1.5]), rtol=1e-5)
    assert other.rule == "contrast"
