import json
import sys

import numpy as np
import pytest
from json_outputs import printed

from neuralgraph.cli.main import main
from neuralgraph.errors import StudyError, StudyNotFoundError
from neuralgraph.tasks import GraphSettings, Split, System, TrainingSettings, evaluate, read_splits

SETTINGS = TrainingSettings(epochs=40, patience=8, hidden=16, learning_rate=1e-2)


def system(folder, name="fused", **options):
    return System(name=name, archive=folder, graph=GraphSettings(labels=("opacity",), **options))


def test_what_can_be_learnt_is_learnt_and_compared(studies_folder):
    split = read_splits(studies_folder / "studies.csv")
    systems = [
        system(studies_folder),
        system(studies_folder, "image", report=False),
        system(studies_folder, "types", heterogeneous=True, retain=0.1),
    ]
    results = evaluate(systems, split, settings=SETTINGS, seeds=(0, 1))
    assert results["split"] == {"train": 72, "validate": 24, "test": 24}
    for name, patches in (("fused", 6), ("image", 6), ("types", 3)):
        found = results["systems"][name]
        assert found["patches"] == patches
        scores = found["labels"]["opacity"]
        assert scores["auc"]["value"] > 0.9
        assert (scores["auc"]["positives"], scores["auc"]["negatives"]) == (8, 16)
        assert len(scores["auc_by_seed"]) == 2
    assert len(results["comparisons"]) == 3
    assert json.loads(json.dumps(results))["systems"].keys() == results["systems"].keys()
    again = evaluate(systems[:1], split, settings=SETTINGS, seeds=(0, 1))
    assert again["systems"]["fused"] == results["systems"]["fused"]


def test_nothing_is_learnt_where_nothing_is_to_be_learnt(studies_folder, monkeypatch):
    from neuralgraph.tasks import evaluation

    honest = evaluation.study_graph

    def lying(study, settings):
        graph = honest(study, settings)
        graph.y[:] = float(int(study.study_id[-3:]) % 7 < 2)
        return graph

    monkeypatch.setattr(evaluation, "study_graph", lying)
    split = read_splits(studies_folder / "studies.csv")
    results = evaluate([system(studies_folder)], split, settings=SETTINGS, seeds=(0,))
    assert 0.2 < results["systems"]["fused"]["labels"]["opacity"]["auc"]["value"] < 0.8


def test_systems_must_be_comparable(studies_folder):
    split = read_splits(studies_folder / "studies.csv")
    with pytest.raises(StudyError, match="names of their own"):
        evaluate([system(studies_folder), system(studies_folder)], split)
    other = System(name="b", archive=studies_folder, graph=GraphSettings(labels=("nodule",)))
    with pytest.raises(StudyError, match="same labels"):
        evaluate([system(studies_folder), other], split)
    with pytest.raises(StudyNotFoundError):
        evaluate([system(studies_folder)], Split(("nobody",), ("study-003",), ("study-004",)))


def run(capsys, *arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["ngr", "evaluate", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
    return end.value.code, *capsys.readouterr()


def test_command(studies_folder, tmp_path, capsys):
    out = tmp_path / "results.json"
    code, said, _ = run(capsys, studies_folder, "--label", "opacity", "--seeds", 1, "--epochs", 2, "-o", out)
    assert code == 0
    assert "stored patches, with report (6.0 patches)" in said
    assert "opacity: AUC 0." in said or "opacity: AUC 1." in said
    assert "against" in said
    results = printed("evaluate", out.read_text())
    assert results["settings"]["epochs"] == 2
    assert np.isfinite(results["systems"]["stored patches, image alone"]["labels"]["opacity"]["auc"]["value"])


def test_command_says_what_it_lacks(studies_folder, tmp_path, capsys):
    code, _, said = run(capsys, studies_folder / "archive.ngr", "--label", "opacity")
    assert code == 2
    assert "--splits" in said
    code, _, said = run(capsys, studies_folder, "--label", "opacity", "--retain", "0.9", "--epochs", "1")
    assert code == 3
    assert "compress it anew" in said
