"""Reports from stored patches: the same memory as at compression, and nobody else's embeddings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import neuralgraph as ng
from neuralgraph.compressor import Compressor, TopFraction, TopK
from neuralgraph.compressor.generation import ReportWriter
from neuralgraph.compressor.model.preprocess import Preprocessor
from neuralgraph.compressor.model_scorer import ModelScorer
from neuralgraph.errors import ModelError, StudyError


@pytest.fixture
def parts(tiny_model, tokenizer):
    preprocessor = Preprocessor(stride=8, channels=1, max_side=64)
    scorer = ModelScorer(tiny_model, tokenizer, preprocessor, digest="ab" * 32)
    return Compressor(scorer, TopFraction(1.0)), ReportWriter(tiny_model, tokenizer, digest="ab" * 32), preprocessor


def test_all_patches_are_what_the_decoder_saw(parts, tiny_model, film):
    compressor, writer, preprocessor = parts
    study = ng.load_bytes(ng.to_bytes(compressor(film(20, 40), "Opacity."), embedding="float32"))
    with torch.inference_mode():
        seen = tiny_model.encode(preprocessor(film(20, 40))[None]).memory[0]
        stored = writer._memory(study)[0]
    cells = study.patches.row * 5 + study.patches.col
    assert torch.allclose(stored, seen[torch.from_numpy(cells.astype(np.int64))], atol=1e-5)


def test_a_whole_study_gives_the_report_its_film_gives(parts, film):
    compressor, writer, _ = parts
    compressor = Compressor(compressor.scorer, TopFraction(1.0), generated_graph=True)
    written = compressor(film(20, 40), None, store_report=True)
    assert writer(written, beams=1) == written.report


def test_the_same_patches_give_the_same_report(parts, film):
    compressor, writer, _ = parts
    study = compressor(film(20, 40), "Opacity.").prune(top_k=3)
    assert writer(study, beams=3) == writer(study, beams=3)
    assert isinstance(writer(study), str)


def test_films_of_one_study_are_read_together(parts, film):
    compressor, writer, _ = parts
    study = replace(compressor, policy=TopK(5))([film(20, 40), film(16, 16, 1)], "Opacity.")
    memory = writer._memory(study)
    assert memory.shape == (1, 5, 24)
    assert isinstance(writer(study, beams=1), str)


def test_studies_of_another_model_are_refused_unless_asked_for(parts, film):
    compressor, writer, _ = parts
    study = compressor(film(20, 40), "Opacity.")
    provenance = dict(study.provenance)
    other = replace(study, provenance={**provenance, "model": {**provenance["model"], "digest": "cd" * 16}})
    unknown = replace(study, provenance={})
    for each, reason in ((other, "was made by model cdcd"), (unknown, "does not say which model")):
        with pytest.raises(ModelError, match=reason) as caught:
            writer(each)
        assert caught.value.code == "E_MODEL"
        assert isinstance(writer(each, beams=1, any_model=True), str)


def test_embeddings_of_another_width_never_fit(parts, film):
    compressor, writer, _ = parts
    study = compressor(film(20, 40), "Opacity.")
    wide = replace(study, patches=replace(study.patches, embedding=np.ones((len(study.patches), 5), np.float32)))
    with pytest.raises(ModelError, match="5 wide"):
        writer(wide, any_model=True)


def test_a_study_without_patches_has_no_report(parts):
    _, writer, _ = parts
    empty = ng.Study(
        "a", (), ng.Patches(np.empty(0), np.empty(0), np.empty(0), np.empty((0, 16))),
        provenance={"model": {"digest": "ab" * 16}},
    )  # fmt: skip
    with pytest.raises(StudyError, match="no patches"):
        writer(empty)


def test_words_are_stored_on_request_for_all_films(parts, film):
    compressor, _, _ = parts
    study = compressor([film(20, 40), film(16, 16, 1)], "No effusion. Opacity.", store_words=True, store_report=True)
    words = study.word_attention
    assert [study.report[a:b] for a, b in zip(words.start, words.end, strict=True)] == ["No", "effusion", "Opacity"]
    assert words.code.shape == (3, 15 + 4)
    assert compressor(film(20, 40), "Opacity.").word_attention is None
    # Words are not part of what a study says: the id is made from the content, and is the same.
    plain = compressor([film(20, 40), film(16, 16, 1)], "No effusion. Opacity.", store_report=True)
    assert plain.study_id == study.study_id


def test_a_batch_with_films_of_several_grids_is_what_it_is_alone(parts, film):
    compressor, _, _ = parts
    items = [
        (film(20, 40), "Opacity."),
        ([film(16, 16, 1), film(20, 40, 2)], None),
        (film(20, 40, 3), None),
    ]
    batched = compressor.batch(items)
    assert [study.digest for study in batched] == [compressor(*item).digest for item in items]
    scorer = compressor.scorer
    together = ModelScorer(scorer._model, scorer._tokenizer, scorer._preprocessor, digest=scorer.digest, batch_size=4)
    for one, other in zip(batched, Compressor(together, TopFraction(1.0)).batch(items), strict=True):
        assert np.allclose(one.views[0].attention, other.views[0].attention, rtol=0.02)
        assert np.allclose(one.patches.score, other.patches.score, rtol=1e-4)


def test_films_of_a_study_without_report_are_scored_against_one_text(parts, film):
    compressor, _, _ = parts
    study = compressor([film(20, 40), film(16, 16, 1)], None, store_report=True)
    second = compressor(film(16, 16, 1), study.report)
    mine = study.patches.view == 1
    assert np.allclose(np.sort(study.patches.score[mine]), np.sort(second.patches.score), rtol=1e-4)


def test_studies_read_together_are_written_as_alone(parts, film):
    compressor, writer, _ = parts
    studies = [compressor(film(20, 40, seed), "Opacity.").prune(top_k=k) for seed, k in ((0, 3), (1, 5), (2, 3))]
    assert writer.batch(studies, beams=1) == [writer(study, beams=1) for study in studies]
    assert writer.batch([]) == []
