import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from structured_reports import structured_report

from neuralgraph.storage.save import save
from tests.pacs.conftest import HEIGHT, WIDTH, film, told
from tests.sources.conftest import make_dicom, ramp

ROOT = Path(__file__).parents[2]


def has_namespaces():
    return subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(shutil.which("Orthanc") is None, reason="Debian's orthanc and orthanc-dicomweb are not there")
@pytest.mark.skipif(shutil.which("unshare") is None or not has_namespaces(), reason="no network namespace can be made")
def test_an_exchange(tmp_path):
    save(told(), tmp_path / "film.ngr")
    (tmp_path / "1.dcm").write_bytes(film(ViewPosition="PA"))
    stream = BytesIO()
    Image.fromarray(ramp(HEIGHT, WIDTH, np.uint8)).save(stream, "JPEG")
    packed = make_dicom(
        np.zeros((HEIGHT, WIDTH), np.uint8),
        syntax="1.2.840.10008.1.2.4.50",
        stream=stream.getvalue(),
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.1",
        SOPInstanceUID="1.2.3.5",
        PatientID="4711",
        AccessionNumber="A1",
        StudyTime="101500",
    )
    (tmp_path / "2.dcm").write_bytes(packed)
    report = structured_report(
        [("Conclusions", "Conclusion", "Small effusion.")], SeriesInstanceUID="1.2.3.9", StudyDate="20200101"
    )
    (tmp_path / "3.dcm").write_bytes(report)
    script = Path(__file__).with_name("orthanc_session.py")
    done = subprocess.run(
        ["unshare", "-n", sys.executable, script, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr[-3000:]
