"""The rival systems learn, repeat under a seed, and attend to nothing that is absent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("torchvision", reason="needs the extra vlm")
pytest.importorskip("spacy", reason="entities are read from texts: extra bench")

from bench.baselines.__main__ import CLASSIFIERS as MEASURED
from bench.baselines.__main__ import GENERATORS, measure
from bench.baselines.chexmed import CheXMedLike
from bench.baselines.cvt2distilgpt2 import Cvt2DistilGpt2Like
from bench.baselines.lessons import LONGEST, PADDING, Lessons, first_of_each_patient, parts, phantom_films
from bench.baselines.rgrg import REGIONS, RgrgLike, region_texts
from bench.baselines.rmt import RmtLike
from bench.baselines.scoring import bleu2, findings_scores
from bench.baselines.training import Budget, trained
from docs.tools.chapters import baselines as chapter
from neuralgraph.compressor.scorer import DEMO_DIRECTORY
from neuralgraph.compressor.training.examples import ExampleSet

SYSTEMS = {
    "chexmed": CheXMedLike,
    "chexmed, film alone": lambda lessons: CheXMedLike(lessons, with_text=False),
    "rmt": RmtLike,
    "cvt2distilgpt2": Cvt2DistilGpt2Like,
    "rgrg": RgrgLike,
}
CLASSIFIERS = ("chexmed", "chexmed, film alone", "rmt")


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> ExampleSet:
    return phantom_films(tmp_path_factory.mktemp("films"), seed=5, patients=6, workers=1)


@pytest.fixture(scope="module")
def lessons(films) -> Lessons:
    learn, test = parts(films, share=0.4, seed=1)
    return Lessons(learn, test, side=64)


def made(name, lessons):
    torch.manual_seed(3)
    return SYSTEMS[name](lessons)


def test_no_patient_is_learnt_from_and_tested(films):
    learn, test = parts(films, share=0.4, seed=1)
    patients = [{part[number].patient for number in range(len(part))} for part in (learn, test)]
    assert patients[0]
    assert patients[1]
    assert not patients[0] & patients[1]
    assert len(first_of_each_patient(films)) == len(patients[0] | patients[1])


def test_a_batch_is_square_and_whole(lessons):
    batch = next(lessons.test_batches(size=2))
    assert batch.films.shape == (2, 1, 64, 64)
    assert batch.labels.shape == (2, len(lessons.findings))
    assert [lessons.decoded(row) for row in batch.tokens.tolist()] == batch.texts
    assert batch.entities.max() < lessons.entity_count
    assert (batch.entities > 0).any(dim=1).all()


@pytest.mark.parametrize("name", SYSTEMS)
def test_steps_on_two_films_lower_the_loss(name, lessons):
    model = made(name, lessons).train()
    batch = lessons.batch(lessons.learn, [0, 1])
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(8):
        torch.manual_seed(0)  # what is dropped at random is the same in every step
        loss = model.loss(batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert all(weight.grad is not None for key, weight in model.named_parameters() if "encoder.stages" not in key)


@pytest.mark.parametrize("name", SYSTEMS)
def test_outputs_have_their_shapes(name, lessons):
    model, batch = made(name, lessons).eval(), next(lessons.test_batches(size=2))
    with torch.inference_mode():
        if name in CLASSIFIERS:
            for logits in model.scores(batch).values():
                assert logits.shape == (2, len(lessons.findings))
        else:
            reports = model.written(batch)
            assert len(reports) == 2
            assert all(isinstance(report, str) for report in reports)


@pytest.mark.parametrize("name", ["rmt", "rgrg"])
def test_the_same_seed_gives_the_same_weights(name, lessons):
    runs = [trained(lambda: SYSTEMS[name](lessons), lessons, Budget(films=4), seed=7, size=2) for _ in range(2)]
    assert runs[0][1]["films_shown"] == 4
    first, second = (run[0].state_dict() for run in runs)
    assert all(torch.equal(first[key], second[key]) for key in first)
    other, _ = trained(lambda: SYSTEMS[name](lessons), lessons, Budget(films=4), seed=8, size=2)
    assert any(not torch.equal(first[key], value) for key, value in other.state_dict().items())


def test_what_is_absent_has_no_influence(lessons):
    model, batch = made("rmt", lessons).eval(), next(lessons.test_batches(size=2))
    yes, no = torch.ones(2, dtype=torch.bool), torch.zeros(2, dtype=torch.bool)
    with torch.inference_mode():
        other_film, other_text = torch.randn_like(batch.films), batch.tokens.flip(0).clamp(min=2)
        whole = model(batch.films, batch.tokens, yes, yes)
        film = model(batch.films, batch.tokens, yes, no)
        text = model(batch.films, batch.tokens, no, yes)
        torch.testing.assert_close(model(batch.films, other_text, yes, no), film, rtol=0, atol=0)
        torch.testing.assert_close(model(other_film, batch.tokens, no, yes), text, rtol=0, atol=0)
        assert not torch.allclose(model(batch.films, other_text, yes, yes), whole)
        assert not torch.allclose(model(other_film, batch.tokens, yes, yes), whole)
        longer = torch.nn.functional.pad(batch.tokens, (0, 5), value=PADDING)[:, :LONGEST]
        torch.testing.assert_close(model(batch.films, longer, yes, yes), whole, rtol=1e-4, atol=1e-5)


def test_entities_count_and_padding_does_not(lessons):
    model, batch = made("chexmed", lessons).eval(), next(lessons.test_batches(size=2))
    with torch.inference_mode():
        logits = model(batch.films, batch.entities)
        padded = model(batch.films, torch.nn.functional.pad(batch.entities, (0, 7)))
        none = model(batch.films, torch.zeros_like(batch.entities))
    torch.testing.assert_close(padded, logits)
    assert none.isfinite().all()
    assert not torch.allclose(none, logits)


@pytest.mark.parametrize("name", ["cvt2distilgpt2", "rgrg"])
def test_a_decoder_sees_the_film_and_no_later_word(name, lessons):
    model, batch = made(name, lessons).eval(), next(lessons.test_batches(size=2))
    see = model.seen if name == "cvt2distilgpt2" else lambda films: model.regions(films)[:, 0]
    with torch.inference_mode():
        tokens = batch.tokens[:, :12]
        logits = model(see(batch.films), tokens)
        changed = tokens.clone()
        changed[:, 8:] = 5
        torch.testing.assert_close(model(see(batch.films), changed)[:, :8], logits[:, :8])
        assert not torch.allclose(model(see(-batch.films), tokens), logits)


def test_sentences_go_to_their_regions():
    text = (
        "FINDINGS: Small consolidation in the right lower lobe. Left apical opacity. Opacity in the lingula. "
        "Moderate left pleural effusion. No pneumothorax. The heart is normal in size.\nIMPRESSION: Right pneumonia."
    )
    assert region_texts(text) == {
        "right lower": "Small consolidation in the right lower lobe.",
        "left upper": "Left apical opacity.",
        "left mid": "Opacity in the lingula.",
        "left": "Moderate left pleural effusion.",
        "film": "No pneumothorax.",
        "heart": "The heart is normal in size.",
        "impression": "Right pneumonia.",
    }
    assert all(0 <= top < bottom <= 1 and 0 <= left < right <= 1 for top, left, bottom, right in REGIONS.values())


def test_scores_by_hand():
    labels = np.array([[1.0, np.nan], [1, 0], [0, 0], [0, 0]])
    found = findings_scores(labels, np.array([[0.9, 0], [0.2, 0], [0.5, 0], [0.1, 0]]), ("a", "b"))
    assert found["findings"]["a"]["auc"] == 0.75
    assert "b" not in found["findings"]
    assert found["mean"]["low"] <= 0.75 <= found["mean"]["high"]
    assert bleu2(["No effusion.\nNormal heart."], ["No effusion. Normal heart."])["bleu2"] == pytest.approx(1)
    assert bleu2(["Large mass"], ["No effusion."])["bleu2"] < 0.1


@pytest.mark.slow
def test_everything_is_measured_and_told(films):
    lessons = Lessons(films, films, side=32)
    found = measure(
        lessons, Budget(films=2), model=DEMO_DIRECTORY, systems=[*MEASURED, *GENERATORS], seed=0, device="cpu"
    )
    assert set(found["classifiers"]["RMT-like"]["given"]) == {"film and text", "film", "text"}
    assert found["neuralgraph"]["trained"] in (True, False)
    assert 0 < found["reports"]["another patient's report"]["bleu2"] < 1
    text = chapter.write(
        {
            **found,
            "command": "c",
            "data": "synthetic films (phantoms)",
            "films": {"learn": 1, "test": 1, "side": 32},
            "budget": {"films": 2, "seconds": None},
            "machine": {"cores": 1, "platform": "p", "device": "cpu"},
        }
    )
    assert "synthetic" in text
    for name in (*MEASURED, *GENERATORS):
        assert f"| {name} |" in text
