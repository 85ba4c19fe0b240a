from io import BytesIO

import pytest
from structured_reports import structured_report

from neuralgraph.errors import SourceError
from neuralgraph.sources.documents import STRUCTURED_REPORTS, read_structured_report


def test_texts_under_their_headings():
    data = structured_report(
        [("Findings", "Finding", "Heart is normal."), ("Findings", "Finding", "Lungs are clear."),
         ("Conclusions", "Conclusion", "No pneumonia.")],
        study="1.2.3", accession="A1", patient="4711",
    )  # fmt: skip
    report = read_structured_report(data)
    assert report.text == "FINDINGS:\nHeart is normal.\nLungs are clear.\n\nIMPRESSION:\nNo pneumonia."
    assert (report.studies, report.accessions, report.patients) == ({"1.2.3"}, {"A1"}, {"4711"})
    assert (report.final, report.corrected) == (True, False)


def test_status():
    assert not read_structured_report(structured_report(CompletionFlag="PARTIAL")).final
    assert not read_structured_report(structured_report(PreliminaryFlag="PRELIMINARY")).final


def test_texts_without_containers():
    assert read_structured_report(structured_report([("", "Impression", "Clear.")])).text == "IMPRESSION:\nClear."
    assert read_structured_report(structured_report([])) is None


def test_other_objects(make_dicom):
    assert len(STRUCTURED_REPORTS) == 3
    assert read_structured_report(make_dicom()) is None
    with pytest.raises(SourceError):
        read_structured_report(b"nothing")


def test_nesting_is_bounded():
    from pydicom import dcmread

    dataset = dcmread(BytesIO(structured_report([("Findings", "Finding", "Deep.")])))
    for _ in range(20):
        inner = dataset.ContentSequence[0]
        from pydicom.dataset import Dataset

        outer = Dataset()
        outer.ValueType, outer.ContentSequence = "CONTAINER", [inner]
        dataset.ContentSequence = [outer]
    stream = BytesIO()
    dataset.save_as(stream)
    with pytest.raises(SourceError, match="nested deeper"):
        read_structured_report(stream.getvalue())


def test_a_reason_for_the_study_stays_one_in_whatever_container_it_lies():
    data = structured_report(
        [("Findings", "Reason for study", "Rule out mass."), ("Findings", "Finding", "Edema."),
         ("Prior Findings", "Finding", "A mass."), ("Chest", "Finding", "Nodule.")],
    )  # fmt: skip
    assert read_structured_report(data).text == (
        "INDICATION:\nRule out mass.\n\nFINDINGS:\nEdema.\n\nCOMPARISON:\nA mass.\n\nCHEST:\nNodule."
    )


def test_a_report_of_codes_alone_is_named():
    from pydicom import dcmread
    from pydicom.dataset import Dataset

    dataset = dcmread(BytesIO(structured_report([("Findings", "Finding", "Edema.")])))
    item = dataset.ContentSequence[0].ContentSequence[0]
    item.ValueType, meaning = "CODE", Dataset()
    meaning.CodeValue, meaning.CodingSchemeDesignator, meaning.CodeMeaning = "1", "99X", "Pneumothorax"
    item.ConceptCodeSequence = [meaning]
    del item.TextValue
    stream = BytesIO()
    dataset.save_as(stream)
    report = read_structured_report(stream.getvalue())
    assert (report.text, report.problem) == ("", "codes")
