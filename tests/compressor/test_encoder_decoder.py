"""Encoder-decoders of transformers as scorers: a ViT with class token before GPT-2, a Swin before BERT."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    GPT2Config,
    SwinConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)

import neuralgraph as ng
from neuralgraph.compressor import Compressor, TopK
from neuralgraph.compressor.encoder_decoder import EncoderDecoderScorer
from neuralgraph.compressor.model import inference
from neuralgraph.compressor.report_graph import extractor
from neuralgraph.compressor.score_rules import Scoring
from neuralgraph.errors import ModelError

REPORT = "Small left effusion."


def built(kind):
    if kind == "vit-gpt2":
        encoder = ViTConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, image_size=48,
            patch_size=16,
        )  # fmt: skip
        decoder = GPT2Config(n_embd=24, n_layer=2, n_head=3, n_positions=64, vocab_size=2048)
    else:
        encoder = SwinConfig(
            image_size=64, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4
        )  # fmt: skip
        decoder = BertConfig(
            hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=16, vocab_size=2048,
            max_position_embeddings=64,
        )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.eos_token_id, config.pad_token_id = 0, 1, 0
    torch.manual_seed(4)
    return VisionEncoderDecoderModel(config).eval()


@pytest.fixture(params=["vit-gpt2", "swin-bert"])
def kind(request):
    return request.param


@pytest.fixture
def directory(kind, tokenizer, tmp_path):
    built(kind).save_pretrained(tmp_path / "model")
    tokenizer.write(tmp_path / "model")
    return tmp_path / "model"


def test_onednn_gives_the_same_scores(directory, film, monkeypatch):
    if torch.float32 not in inference.onednn_types():
        pytest.skip("this torch has no oneDNN")
    product, shapes = inference._product, []

    def counted(states, *rest, **named):
        shapes.append(states.shape)
        return product(states, *rest, **named)

    monkeypatch.setattr(inference, "_product", counted)
    scorer = EncoderDecoderScorer.from_pretrained(directory)
    (plain,) = scorer([film(30, 50)], [REPORT])
    assert not shapes, "these layers are too small to gain"
    monkeypatch.setattr(inference, "_FEWEST_MULTIPLICATIONS", 0)
    (fast,) = scorer([film(30, 50)], [REPORT])
    assert shapes
    np.testing.assert_allclose(fast.score, plain.score, rtol=0, atol=1e-5)
    np.testing.assert_allclose(fast.embedding, plain.embedding, rtol=1e-4, atol=1e-5)


def test_the_score_is_the_sum_of_its_cross_attention(kind, directory, tokenizer, film):
    rows, special = (3, 1) if kind == "vit-gpt2" else (8, 0)
    scorer = EncoderDecoderScorer.from_pretrained(directory)
    (result,) = scorer([film(30, 50)], [REPORT], words=True)
    assert (result.rows, result.cols) == (rows, rows)
    assert (result.patch_height, result.patch_width) == (30 / rows, 50 / rows)
    assert result.embedding.shape == (rows * rows, 16)
    ids = tokenizer.encode(REPORT)
    model = built(kind)
    model.decoder.set_attn_implementation("eager")
    with torch.inference_mode():
        run = model(
            pixel_values=scorer._pixels(film(30, 50)), decoder_input_ids=torch.tensor([[0, *ids[:-1]]]),
            output_attentions=True,
        )  # fmt: skip
    expected = run.cross_attentions[-1][0].mean(dim=0).sum(dim=0)[special:]
    assert np.allclose(result.score, expected.numpy(), atol=1e-5)
    assert np.allclose(result.embedding, run.encoder_last_hidden_state[0, special:].numpy(), atol=1e-5)
    assert (result.text, result.generated, result.tokens) == (REPORT, False, len(ids))
    assert [REPORT[a:b] for a, b in zip(result.words.start, result.words.end, strict=True)] == REPORT[:-1].split()


def test_it_drives_the_compressor(directory, film):
    scorer = EncoderDecoderScorer.from_pretrained(directory)
    study = Compressor(scorer, TopK(3), extractor("rules"))(film(40, 40), REPORT)
    assert len(study.patches) == 3
    assert study.provenance["model"]["digest"] == scorer.digest[:32]
    assert ng.load_bytes(ng.to_bytes(study)).digest == study.digest
    written = Compressor(scorer, TopK(3), extractor("none"))(film(40, 40))
    assert written.provenance["report"] == "generated"


def test_what_is_no_encoder_decoder_is_refused(directory):
    config = directory / "config.json"
    content = config.read_text()
    config.write_text(content.replace('"vision-encoder-decoder"', '"bert"'))
    with pytest.raises(ModelError, match="not a VisionEncoderDecoderModel"):
        EncoderDecoderScorer.from_pretrained(directory)
    config.write_text(content[: content.rindex("}")] + ', "auto_map": {}}')
    with pytest.raises(ModelError, match="auto_map would run"):
        EncoderDecoderScorer.from_pretrained(directory)
    config.write_text(content)
    scorer = EncoderDecoderScorer.from_pretrained(directory, scoring=Scoring(layer=7))
    with pytest.raises(ModelError, match="a layer 7"):
        scorer([np.zeros((9, 9), np.float32)], [REPORT])
