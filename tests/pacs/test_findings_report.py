"""Findings as a structured report: read back by highdicom, pydicom and dcmtk, and everything in codes that are real."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

import neuralgraph as ng
from neuralgraph.cli.main import application, exit_code
from neuralgraph.errors import StudyError
from neuralgraph.pacs import finding_codes
from neuralgraph.pacs.finding_codes import ANATOMY, FINDINGS, PRESENCE, SIDES, code_of, own_code
from neuralgraph.pacs.findings_report import findings_object
from neuralgraph.pacs.identity import read_source
from tests.pacs.conftest import film, stored, told

pytest.importorskip("highdicom", reason="the extra pacs is not installed")

ROOT = Path(__file__).parents[2]


def groups(made):
    from highdicom import sr

    content = sr.MeasurementReport.from_sequence([made])
    return content.get_image_measurement_groups(), content.get_planar_roi_measurement_groups()


def evaluations(group):
    """Without the family of the algorithm, which highdicom takes for one."""
    return [each for each in group.get_qualitative_evaluations() if each.name.meaning != "Algorithm Family"]


def code(item):
    return item.value, item.scheme_designator, item.meaning


@pytest.fixture
def report(source):
    return stored(findings_object(told(), [source]))


def test_findings_are_coded_with_presence_side_and_place(report):
    found, _ = groups(report)
    said = {}
    for group in found:
        values = [code(each.value) for each in evaluations(group)]
        sites = [(code(s.topographical_modifier or s.value), s.laterality) for s in group.finding_sites]
        said[group.finding_type.meaning] = code(group.finding_type), values, sites
    assert list(said) == ["Pleural effusion", "Pneumothorax", "hiatal hernia"]
    effusion, absent, hernia = said.values()
    assert effusion[0] == ("60046008", "SCT", "Pleural effusion")
    assert effusion[1][0] == ("52101004", "SCT", "Present")
    assert code(effusion[2][0][1]) == ("7771000", "SCT", "Left")
    assert absent[1][0] == ("272519000", "SCT", "Absent")
    assert absent[2] == []
    assert hernia[0] == tuple(own_code("hiatal hernia"))
    assert [value[0] for value in hernia[1]] == ["121059", "reserved"]
    assert hernia[2][0][0] == ("90572001", "SCT", "Lower lobe of lung")


def test_kept_patches_are_regions_of_the_film(report):
    _, regions = groups(report)
    study = told()
    assert len(regions) == len(study.patches)
    view, patches = study.views[0], study.patches
    for number, group in enumerate(regions):
        corner = group.roi.value[0].tolist()
        assert corner == [patches.col[number] * view.patch_width, patches.row[number] * view.patch_height]
        (measured,) = group.get_measurements()
        assert measured.value == pytest.approx(float(patches.score[number]))
    joined = [len(evaluations(group)) for group in regions]
    assert joined == [0, 1, 0, 0]


def test_it_says_what_it_is_and_nothing_of_the_words(report):
    assert (report.PatientID, report.StudyInstanceUID, report.Modality) == ("4711", "1.2.3", "SR")
    flags = report.CompletionFlag, report.VerificationFlag, report.PreliminaryFlag
    assert flags == ("PARTIAL", "UNVERIFIED", "PRELIMINARY")
    text = json.dumps(report.to_json_dict())
    for word in ("not for primary interpretation", "Algorithm Name", ng.__version__):
        assert word in text
    assert "Secret" not in text
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    assert evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"


def test_the_same_study_makes_the_same_object(source):
    one, two = (stored(findings_object(told(), [source])) for _ in range(2))
    assert one == two
    other = findings_object(told(triples=[(0, 0, 2)]), [source])
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID == other.SeriesInstanceUID


def test_names_of_every_script_arrive(tmp_path):
    data = film(SpecificCharacterSet="ISO_IR 100", PatientName="M\u00fcller^J\u00f6rg")
    (tmp_path / "film.dcm").write_bytes(data)
    concept = ng.Concept("\u80f8\u6c34", "Observation::definitely present", 0, 2)
    made = told(concepts=(concept,), triples=[], fusion=None, report=None)
    report = stored(findings_object(made, [read_source(tmp_path / "film.dcm")]))
    assert str(report.PatientName) == "M\u00fcller^J\u00f6rg"
    assert groups(report)[0][0].finding_type.meaning == "\u80f8\u6c34"


def test_what_a_model_wrote_is_sent_only_when_it_is_asked_for(source):
    study = told(provenance={**told().provenance, "report": "generated"})
    with pytest.raises(StudyError, match="written by a model") as caught:
        findings_object(study, [source])
    assert caught.value.code == "E_STUDY"
    made = findings_object(study, [source], generated=True)
    assert "report graph: written by a model" in json.dumps(made.to_json_dict())


def test_a_study_without_findings_and_patches_has_nothing_to_report(source):
    empty = told(concepts=(), triples=[], fusion=None, patches=ng.Patches([], [], [], [[]] * 0))
    with pytest.raises(StudyError):
        findings_object(empty, [source])


@pytest.mark.parametrize("table", ["FINDINGS", "ANATOMY", "SIDES", "PRESENCE"])
def test_codes_are_those_of_dicom(table):
    from pydicom.sr._concepts_dict import concepts

    for value, scheme, meaning in getattr(finding_codes, table).values():
        known = {name for entry in concepts[scheme].values() for name, _ in [entry.get(value, ("", ()))] if name}
        assert meaning in known, (value, scheme, meaning, known)


def test_codes_fit_and_are_those_of_the_lexicon():
    lexicon = json.loads((ROOT / "neuralgraph/compressor/report_graph/lexicon.json").read_text(encoding="utf-8"))
    names = {entry["concept"] for kind in ("findings", "devices", "states") for entry in lexicon[kind]}
    assert FINDINGS.keys() <= names | {entry["concept"] for entry in lexicon["compositions"]}
    assert ANATOMY.keys() <= {entry["concept"] for entry in lexicon["anatomy"]}
    assert code_of("lung", "anatomy") == ANATOMY["lung"]
    for words in ("x", "a very long name " * 9):
        made = own_code(words)
        assert len(made.value) <= 16
        assert len(made.meaning) <= 64
    assert own_code("Air  Bronchogram") == own_code("air bronchogram") != own_code("air")


def test_the_documented_table_holds_every_code():
    text = (ROOT / "docs/reference/codes.md").read_text(encoding="utf-8")
    for table in (FINDINGS, ANATOMY, SIDES, PRESENCE):
        for name, (value, scheme, meaning) in table.items():
            assert f"| {name} | {value} | {scheme} | {meaning} |" in text


@pytest.mark.skipif(shutil.which("dsr2html") is None, reason="Debian's dcmtk is not there")
def test_dcmtk_reads_it(tmp_path, source):
    findings_object(told(), [source]).save_as(tmp_path / "sr.dcm", enforce_file_format=True)
    done = subprocess.run(["dsr2html", tmp_path / "sr.dcm"], capture_output=True, text=True, check=False)
    # Of Unicode it says that it does not check the values; they are shown all the same.
    assert (done.returncode, [line for line in done.stderr.splitlines() if "VR checker" not in line]) == (0, [])
    for words in ("Pleural effusion", "Absent", "Presence Undetermined", "not for primary interpretation"):
        assert words in done.stdout


def test_export_writes_it(tmp_path, folder):
    from pydicom import dcmread

    ng.save(told(), tmp_path / "told.ngr")

    def run(*arguments):
        given = ["export", tmp_path / "told.ngr", *arguments, "-o", tmp_path / "sr.dcm"]
        return CliRunner().invoke(application(["export", "view"]), list(map(str, given)))

    result = run("--to", "sr", "--source", folder / "film.dcm")
    assert result.exit_code == 0, result.output
    assert dcmread(tmp_path / "sr.dcm").SOPClassUID.name == "Comprehensive SR Storage"
    assert run("--to", "sr").exit_code == 2
    assert run("--to", "npz", "--source", folder / "film.dcm").exit_code == 2
    (tmp_path / "other.dcm").write_bytes(film(height=99))
    assert exit_code(run("--force", "--to", "sr", "--source", tmp_path / "other.dcm").exception) == 3
