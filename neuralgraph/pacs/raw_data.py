"""A file of studies as a DICOM Raw Data object (PS3.3 A.37), the class that is meant for what only its maker reads.

Archives keep and pass on standard classes; the payload, private element (0071,xx01) of creator NEURALGRAPH, comes back
byte for byte. Element (0071,xx02) says how long it is, because DICOM pads to an even length.
"""

from __future__ import annotations

from typing import Any

from neuralgraph.errors import SourceError
from neuralgraph.pacs.identity import STUDY_KEYWORDS, made_uid
from neuralgraph.sources.films.dicom_header import quiet_pydicom

__all__ = ["CREATOR_VERSION", "RAW_DATA", "RAW_MODALITY", "ngr_bytes", "raw_data_object"]

RAW_DATA = "1.2.840.10008.5.1.4.1.1.66"
"""SOP class Raw Data Storage."""

RAW_MODALITY = "OT"
"""Modality of our objects of it."""

CREATOR_VERSION = made_uid("creator", "neuralgraph raw data 1")
"""Creator-Version UID (0008,9123): how the payload is laid out."""

_GROUP, _CREATOR = 0x0071, "NEURALGRAPH"
_PAYLOAD, _LENGTH = 0x01, 0x02
_MAGIC = b"\x89NGR"
_EXPLICIT = "1.2.840.10008.1.2.1"


def raw_data_object(data: bytes, source: Any) -> Any:
    """The object that carries a file of studies.

    Parameters
    ----------
    data : the .ngr file.
    source : the film it was made from, as ``identity.read_source`` gives it; patient and study become the object's.

    Returns
    -------
    pydicom Dataset : with file meta information, ready to be stored. The same file beside the same film gives the same
        object.

    Raises
    ------
    SourceError (E_SOURCE_TYPE) : not an .ngr file. E_SOURCE_DAMAGED: the film's header cannot be used.
    MissingExtraError (E_EXTRA) : pydicom is not installed.
    """
    if not data.startswith(_MAGIC):
        raise SourceError("not an .ngr file", code="E_SOURCE_TYPE")
    with quiet_pydicom("the film's header cannot be used"):
        from pydicom.dataset import Dataset, FileMetaDataset

        made = Dataset()
        for keyword in STUDY_KEYWORDS:
            if keyword in source:
                made[keyword] = source[keyword]
        made.SOPClassUID = RAW_DATA
        made.SOPInstanceUID = made_uid("raw data", source.SOPInstanceUID, data)
        made.SeriesInstanceUID = made_uid("raw data series", source.StudyInstanceUID)
        made.SeriesNumber, made.InstanceNumber = 7101, 1
        made.Modality, made.Laterality = RAW_MODALITY, ""
        made.Manufacturer, made.ManufacturerModelName = "neuralgraph", "neuralgraph"
        made.DeviceSerialNumber, made.SoftwareVersions = "0", "1"
        made.SeriesDescription = "NEURAL graph, not for primary interpretation"
        # Of the film: the object has no moment of its own, and says nothing that the film does not.
        made.ContentDate = source.get("ContentDate") or source.get("StudyDate") or "19000101"
        made.ContentTime = source.get("ContentTime") or source.get("StudyTime") or "000000"
        made.CreatorVersionUID = CREATOR_VERSION
        made.AcquisitionContextSequence = []
        reference = Dataset()
        reference.ReferencedSOPClassUID = source.SOPClassUID
        reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
        made.ReferencedInstanceSequence = [reference]
        block = made.private_block(_GROUP, _CREATOR, create=True)
        block.add_new(_PAYLOAD, "OB", data + b"\0" * (len(data) % 2))
        block.add_new(_LENGTH, "UL", len(data))
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = _EXPLICIT
        made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def ngr_bytes(dataset: Any) -> bytes:
    """The file of studies in a Raw Data object.

    Parameters
    ----------
    dataset : pydicom Dataset, as read or received.

    Raises
    ------
    SourceError (E_SOURCE_KIND) : an object without such a payload.
    SourceError (E_SOURCE_DAMAGED) : the payload is not what it says it is.
    """
    with quiet_pydicom("its payload cannot be read"):
        if str(dataset.get("SOPClassUID", "")) != RAW_DATA:
            raise SourceError("not a Raw Data object", code="E_SOURCE_KIND")
        try:
            block = dataset.private_block(_GROUP, _CREATOR)
            payload, length = bytes(block[_PAYLOAD].value), int(block[_LENGTH].value)
        except KeyError as error:
            raise SourceError("a Raw Data object of somebody else's", code="E_SOURCE_KIND") from error
    if not payload.startswith(_MAGIC) or length > len(payload) or any(payload[length:]) or len(payload) - length > 1:
        raise SourceError("the payload of the Raw Data object is damaged", code="E_SOURCE_DAMAGED")
    return payload[:length]
