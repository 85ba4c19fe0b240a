"""Structured reports for tests."""

from io import BytesIO


def _named(meaning):
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99TEST", meaning
    return [code]


def structured_report(
    texts=(("Conclusions", "Conclusion", "Clear."),), *, study="1.2.3", accession="A1", patient="4711", **elements
):
    """A Basic Text SR of (container, name, text); a container "" stands for none."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.11", "2.25.7"
    dataset.StudyInstanceUID, dataset.AccessionNumber, dataset.PatientID = study, accession, patient
    dataset.PatientName, dataset.Modality = "Doe^Jane", "SR"
    dataset.ContentDate, dataset.ContentTime = "20200102", "093000"
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "VERIFIED"
    content, containers = [], {}
    for title, name, text in texts:
        item = Dataset()
        item.ValueType, item.TextValue, item.ConceptNameCodeSequence = "TEXT", text, _named(name)
        if not title:
            content.append(item)
            continue
        if title not in containers:
            containers[title] = Dataset()
            containers[title].ValueType, containers[title].ConceptNameCodeSequence = "CONTAINER", _named(title)
            containers[title].ContentSequence = []
            content.append(containers[title])
        containers[title].ContentSequence = [*containers[title].ContentSequence, item]
    dataset.ContentSequence = content
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()
