import csv
import gzip
import hashlib
from functools import cache
from io import BytesIO

import numpy as np
import pytest

from neuralgraph.phantoms import phantom
from neuralgraph.sources.layouts import Roots, default_selection, resolve_manifest

LABELS = [
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Lung Lesion",
    "Lung Opacity",
    "No Finding",
    "Pleural Effusion",
    "Pleural Other",
    "Pneumonia",
    "Pneumothorax",
    "Support Devices",
]


@cache
def picture(kind):
    """A small phantom, as the bytes of a PNG or JPEG file."""
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(np.rint(phantom(1, height=64, width=64).pixels * 255).astype(np.uint8)).save(stream, kind)
    return stream.getvalue()


@cache
def dicom(**elements):
    """The same as a DICOM file."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.uid import ExplicitVRLittleEndian

    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", "2.25.1"
    dataset.Modality = "CR"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = 64
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    pixels = np.rint(phantom(1, height=64, width=64).pixels * 255).astype(np.uint8)
    dataset.add_new("PixelData", "OB", pixels.tobytes())
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    stream = BytesIO()
    dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


class Tree:
    """A folder that tests fill."""

    def __init__(self, root):
        self.root = root

    def file(self, name, content=b""):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def image(self, name, **elements):
        suffix = name.rpartition(".")[2]
        return self.file(name, dicom(**elements) if suffix == "dcm" else picture({"jpg": "JPEG"}.get(suffix, "PNG")))

    def table(self, name, header, *rows):
        path = self.file(name)
        opened = gzip.open if name.endswith(".gz") else open
        with opened(path, "wt", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(header.split(",") if isinstance(header, str) else header)
            writer.writerows(rows)
        return path

    def manifest(self, layout="auto", *, reports=None, tables=None, **changes):
        from dataclasses import replace

        from neuralgraph.sources.layouts import detect_layout

        name = detect_layout(self.root) if layout == "auto" else layout
        selection = replace(default_selection(name), **changes)
        return resolve_manifest(Roots(self.root, reports, tables), name, selection)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path / "source")


@pytest.fixture
def second(tmp_path):
    return Tree(tmp_path / "second")


def dicom_id(name):
    """40 hex digits with dashes, as MIMIC-CXR names images."""
    text = hashlib.sha1(name.encode()).hexdigest()
    return "-".join(text[start : start + 8] for start in range(0, 40, 8))


@pytest.fixture(name="dicom_id")
def _dicom_id():
    return dicom_id


@pytest.fixture
def label_columns():
    return LABELS


def reasons(manifest):
    return {row.study_key: row.reason for row in manifest.dropped}


@pytest.fixture(name="reasons")
def _reasons():
    return reasons
