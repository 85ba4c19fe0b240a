from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from neuralgraph.compressor.score_rules import Scoring
from neuralgraph.compressor.scorer import load_scorer
from neuralgraph.errors import MissingExtraError, ModelError, SourceError

REPORT = "The heart is normal in size. No pneumothorax. Small right basal opacity."


@pytest.fixture(scope="module")
def scorer():
    return load_scorer("demo")


def test_the_demo_says_what_it_is(scorer):
    assert scorer.name == "demo"
    assert scorer.trained is True
    assert len(scorer.digest) == 64
    assert scorer.record == {
        "model": "demo",
        "digest": scorer.digest,
        "trained": True,
        "layer": -1,
        "heads": "mean",
        "dtype": "float32",
    }


def test_a_film_that_is_not_square(scorer, film):
    result = scorer([film(100, 165)], [REPORT])[0]
    assert (result.rows, result.cols) == (7, 11)
    assert (result.patch_height, result.patch_width) == (16.0, 16.0)
    assert result.embedding.shape == (77, 64)
    assert result.score.shape == (77,)
    assert result.embedding.dtype == result.score.dtype == np.float32
    assert np.isfinite(result.embedding).all()
    assert (result.score > 0).all()
    assert (result.text, result.generated) == (REPORT, False)
    assert result.score.sum() == pytest.approx(result.tokens, rel=1e-5)


def test_a_film_larger_than_the_model_sees(scorer, film):
    result = scorer([film(2000, 1500)], [REPORT])[0]
    assert (result.rows, result.cols) == (24, 18)
    assert result.patch_height == result.patch_width == 2000 / 24
    assert result.score.shape == (432,)


def test_the_smallest_film(scorer, film):
    result = scorer([film(1, 1)], [REPORT])[0]
    assert (result.rows, result.cols) == (1, 1)
    assert result.score[0] == pytest.approx(result.tokens)


def test_cells_are_in_row_major_order(scorer):
    """A bright square changes the embedding of its own cell most."""
    dark, spot = np.full((128, 160), 0.2, np.float32), np.full((128, 160), 0.2, np.float32)
    spot[3 * 16 + 4 : 4 * 16 - 4, 7 * 16 + 4 : 8 * 16 - 4] = 1
    before, after = scorer([dark, spot], [REPORT, REPORT])
    change = np.abs(after.embedding - before.embedding).sum(axis=1)
    assert change.argmax() == 3 * 10 + 7


def test_the_same_input_gives_the_same_bits_in_any_company(scorer, film):
    films = [film(160, 96, 1), film(96, 160, 2), film(160, 96, 3)]
    reports = [REPORT, None, "Clear lungs."]
    together = scorer(films, reports)
    backwards = scorer(films[::-1], reports[::-1])[::-1]
    for number in range(3):
        alone = scorer([films[number]], [reports[number]])[0]
        for other in (together[number], backwards[number]):
            assert np.array_equal(alone.score, other.score)
            assert np.array_equal(alone.embedding, other.embedding)
            assert alone.text == other.text


def test_threads_do_not_change_the_bits(scorer, film):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        single = scorer([film(480, 352)], [REPORT])[0]
        torch.set_num_threads(2)
        double = scorer([film(480, 352)], [REPORT])[0]
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(single.score, double.score)
    assert np.array_equal(single.embedding, double.embedding)


def test_batches_agree_with_single_films(scorer, film):
    films = [film(160, 96, seed) for seed in range(5)] + [film(64, 64)]
    reports = [REPORT, None, "Clear lungs.", "", "Large effusion on the left.", REPORT]
    singly, batched = scorer(films, reports), load_scorer(batch_size=4)(films, reports)
    for one, other in zip(singly, batched, strict=True):
        assert np.allclose(one.score, other.score, rtol=1e-5, atol=1e-5)
        assert np.allclose(one.embedding, other.embedding, rtol=1e-5, atol=1e-5)
        assert (one.text, one.generated, one.tokens) == (other.text, other.generated, other.tokens)


def test_layer_and_heads_are_parameters(scorer, film):
    base = scorer([film(96, 96)], [REPORT])[0].score
    for options in ({"layer": 0}, {"layer": "all"}, {"heads": "max"}):
        other = load_scorer(scoring=Scoring(**options))
        assert not np.allclose(other([film(96, 96)], [REPORT])[0].score, base)
        assert {**scorer.record, **options} == other.record


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_close(scorer, film, dtype):
    half = load_scorer(dtype=dtype)
    assert half.record["dtype"] == dtype
    base, other = scorer([film(96, 96)], [REPORT])[0], half([film(96, 96)], [REPORT])[0]
    assert other.embedding.dtype == other.score.dtype == np.float32
    assert np.allclose(base.score, other.score, rtol=0.1)
    assert np.abs(base.embedding - other.embedding).mean() < 0.05


def test_no_films_no_results(scorer):
    assert scorer([], []) == []


def test_as_many_reports_as_films(scorer, film):
    with pytest.raises(ValueError, match="1 films, but 2 reports"):
        scorer([film(9, 9)], [None, None])


@pytest.mark.parametrize(
    ("pixels", "code"),
    [
        (np.zeros((4, 4, 3), np.float32), "E_SOURCE_KIND"),
        (np.zeros((4, 4), np.uint8), "E_SOURCE_KIND"),
        (np.zeros((0, 4), np.float32), "E_SOURCE_SIZE"),
        (np.full((4, 4), np.nan, np.float32), "E_NUM"),
        (np.full((4, 4), 1.5, np.float32), "E_NUM"),
        (np.full((4, 4), -0.1, np.float32), "E_NUM"),
    ],
)
def test_what_is_no_film_is_refused(scorer, pixels, code):
    with pytest.raises(SourceError) as caught:
        scorer([pixels], [None])
    assert caught.value.code == code


def test_loading_leaves_the_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load_scorer()
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("library", ["torch", "timm", "transformers", "tokenizers", "safetensors"])
def test_a_missing_library_names_the_extra(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"needs {library}.*'\.\[vlm\]'"):
        load_scorer()


@pytest.fixture
def copy(demo_directory, tmp_path):
    return Path(shutil.copytree(demo_directory, tmp_path / "model"))


def code_of(*arguments, **options):
    with pytest.raises(ModelError) as caught:
        load_scorer(*arguments, **options)
    return caught.value.code, str(caught.value)


def test_a_directory_works_like_the_demo(scorer, copy, film):
    other = load_scorer(copy)
    assert other.digest == scorer.digest
    assert np.array_equal(other([film(50, 70)], [REPORT])[0].score, scorer([film(50, 70)], [REPORT])[0].score)


def test_the_digest_sees_content_and_not_line_ends(scorer, copy):
    config = copy / "config.json"
    values = json.loads(config.read_text())
    config.write_bytes(json.dumps(values, indent=7).replace("\n", "\r\n").encode())
    assert load_scorer(copy).digest == scorer.digest
    config.write_text(json.dumps({**values, "name": "other"}))
    assert load_scorer(copy).digest != scorer.digest


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"])
def test_every_missing_file_is_named(copy, name):
    (copy / name).unlink()
    code, message = code_of(copy)
    assert code == "E_MODEL"
    assert f"lacks {name}" in message


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]", b"null"])
def test_every_damaged_file_is_named(copy, name, content):
    (copy / name).write_bytes(content)
    code, message = code_of(copy)
    assert code == "E_MODEL"
    assert name in message


def test_parts_of_different_models_are_refused(copy):
    (copy / "preprocessor_config.json").write_text(
        '{"stride": 32, "channels": 1, "max_side": 512, "mean": 0.5, "std": 0.25}'
    )
    assert "different models" in code_of(copy)[1]


def test_a_broken_model_is_refused_at_load(copy):
    from neuralgraph.compressor.model.model import NeuralGraphModel

    model = NeuralGraphModel.from_pretrained(copy)
    with torch.no_grad():
        model.text.decoder.block[-1].layer[1].EncDecAttention.q.weight.fill_(torch.inf)
    model.save_pretrained(copy)
    assert code_of(copy)[0] == "E_MODEL_ATTENTION"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"dtype": "float8"}, "dtype"),
        ({"device": "toaster"}, "device"),
        ({"batch_size": 0}, "batch_size"),
        ({"scoring": Scoring(layer=5)}, "layer"),
        ({"scoring": Scoring(heads="median")}, "heads"),
    ],
)
def test_wrong_settings_are_refused(options, named):
    assert named in code_of(**options)[1]


def test_nowhere(tmp_path):
    assert "neither a model directory" in code_of(tmp_path / "absent")[1]


def test_importing_the_scorer_loads_no_heavy_library():
    script = (
        "import sys, neuralgraph.compressor.scorer, neuralgraph.compressor.pruning;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'timm', 'transformers', 'tokenizers')))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])


def test_nothing_is_printed_or_warned_about():
    script = (
        "import logging, warnings, numpy as np\n"
        "before = warnings.filters[:]\n"
        "from neuralgraph.compressor.scorer import load_scorer\n"
        "film = np.zeros((64, 96), np.float32)\n"
        "load_scorer()([film, film], [None, 'No effusion.'])\n"
        "assert logging.getLogger().handlers == [] and logging.root.level == logging.WARNING\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
