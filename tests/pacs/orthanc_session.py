"""A whole exchange with Orthanc, run inside a network namespace of its own: orthanc_session.py FOLDER.

Orthanc binds every interface and cannot be told otherwise, so nothing outside must reach it. Ends with "done".
"""

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

HTTP, DICOM, OURS = 18042, 14242, 11112
URL = f"http://127.0.0.1:{HTTP}/dicom-web"
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(probe, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | _IFF_UP))


def start(folder):
    plugin = next(Path(root) for root in ("/usr/share/orthanc/plugins", "/usr/lib/orthanc") if Path(root).is_dir())
    (folder / "storage").mkdir()
    configuration = {
        "Name": "Test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": HTTP,
        "DicomPort": DICOM,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {"reader": "secret"},
        "DicomModalities": {"ngr": ["NEURALGRAPH", "127.0.0.1", OURS]},
        "DicomAlwaysAllowStore": True,
        # Fewer at a time than there are.
        "LimitFindResults": 5,
        "LimitFindInstances": 5,
        "Plugins": [str(plugin / "libOrthancDicomWeb.so")],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    log = open(folder / "orthanc.log", "wb")  # noqa: SIM115  kept by the process
    process = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder)
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", HTTP)) == 0:
                return process
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise SystemExit((folder / "orthanc.log").read_text()[-2000:])


def ngr(*arguments, code=0):
    command = [sys.executable, "-m", "neuralgraph", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout


def store(*files):
    """What a modality does."""
    from pydicom import dcmread
    from pynetdicom import AE

    entity = AE(ae_title="MODALITY")
    datasets = [dcmread(path) for path in files]
    for dataset in datasets:
        entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate("127.0.0.1", DICOM, ae_title="ORTHANC")
    assert association.is_established
    assert [association.send_c_store(dataset).Status for dataset in datasets] == [0] * len(files)
    association.release()


def many(folder):
    """More studies than the archive gives at a time, and one that is corrected in it."""
    import requests
    from pydicom import dcmread

    (folder / "more").mkdir()
    film, paths = dcmread(sorted(folder.glob("*.dcm"))[0]), []
    for number in range(12):
        film.StudyInstanceUID, film.StudyDate, film.StudyTime = f"1.2.77.{number}", "20210101", f"10{number:02d}00"
        film.SeriesInstanceUID, film.SOPInstanceUID = f"1.2.77.{number}.1", f"1.2.77.{number}.1.1"
        film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
        paths.append(folder / "more" / f"{number}.dcm")
        film.save_as(paths[-1], enforce_file_format=True)
    store(*paths)
    place = folder / "more-spool"
    told = json.loads(ngr("pull", URL, place, "--date", "20210101", "--json"))
    assert (told["complete"], told["studies"], told["stored"]) == (True, 12, 12), told
    assert "day by day" in told["notes"][0]
    film.PatientID = "4712"
    film.save_as(paths[-1], enforce_file_format=True)
    for found in requests.post(f"http://127.0.0.1:{HTTP}/tools/lookup", data="1.2.77.11.1.1",
                               auth=("reader", "secret"), timeout=300).json():  # fmt: skip
        requests.delete(f"http://127.0.0.1:{HTTP}{found['Path']}", auth=("reader", "secret"), timeout=300)
    store(paths[-1])
    assert "0 fetched, 12 there already" in ngr("pull", URL, place, "--date", "20210101")
    told = json.loads(ngr("pull", URL, place, "--date", "20210101", "--again", "--json"))
    assert (told["repeated"], told["corrected"]) == (11, 1), told
    assert dcmread(place / "1.2.77.11" / "1.2.77.11.1.1-2.dcm").PatientID == "4712"
    for path in paths:
        for found in requests.post(f"http://127.0.0.1:{HTTP}/tools/lookup", data=dcmread(path).SOPInstanceUID,
                                   auth=("reader", "secret"), timeout=300).json():  # fmt: skip
            requests.delete(f"http://127.0.0.1:{HTTP}{found['Path']}", auth=("reader", "secret"), timeout=300)


def exchange(folder):
    import requests

    films, spool = sorted(folder.glob("*.dcm")), folder / "spool"
    store(*films)
    # Out of the archive: only films and reports of the day that is asked for.
    assert json.loads(ngr("pull", URL, spool, "--date", "20200101", "--json")) == {
        "complete": True, "studies": 1, "stored": 3, "repeated": 0, "corrected": 0, "failed": {},
        "notes": [], "missing": []}  # fmt: skip
    assert "0 fetched, 3 there already" in ngr("pull", URL, spool)
    from pydicom import dcmread

    pulled = {dcmread(path).SOPInstanceUID: dcmread(path) for path in spool.rglob("*.dcm")}
    for path in films[:2]:
        sent = dcmread(path)
        assert pulled[sent.SOPInstanceUID].PixelData == sent.PixelData
        assert pulled[sent.SOPInstanceUID].file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
    many(folder)
    manifest = ngr("convert", spool, folder / "out", "--layout", "dicom", "--dry-run", "--json")
    assert json.loads(manifest)["studies"] == 1
    rows = (folder / "out.manifest.jsonl").read_text()
    assert "Small effusion." in rows
    # Into it, over DICOMweb and by C-STORE; the same object twice is stored once.
    ngr("push", folder / "film.ngr", URL, "--source", films[0], "--overlay", "--findings", "--segmentation")
    ngr("push", folder / "film.ngr", f"ORTHANC@127.0.0.1:{DICOM}", "--source", films[0], "--overlay", "--findings")
    ngr("push", folder / "film.ngr", f"ORTHANC@127.0.0.1:{DICOM}", "--source", films[1])
    login = ("reader", "secret")

    def got(path):
        return requests.get(f"http://127.0.0.1:{HTTP}/{path}", auth=login, timeout=300).json()

    modalities = [got(f"series/{series}")["MainDicomTags"]["Modality"] for series in got("series")]
    assert sorted(modalities) == ["CR", "OT", "PR", "SEG", "SR", "SR"], modalities
    # The findings, as the archive gives them back.
    described = {
        series: got(f"series/{series}")["MainDicomTags"].get("SeriesDescription", "") for series in got("series")
    }
    (own,) = [series for series, words in described.items() if "NEURAL findings" in words]
    (instance,) = got(f"series/{own}")["Instances"]
    back = requests.get(f"http://127.0.0.1:{HTTP}/instances/{instance}/file", auth=login, timeout=300).content
    (folder / "findings.dcm").write_bytes(back)
    from highdicom import sr

    report = sr.MeasurementReport.from_sequence([dcmread(folder / "findings.dcm")])
    assert len(report.get_planar_roi_measurement_groups()) == 4
    found = [group.finding_type.meaning for group in report.get_image_measurement_groups()]
    assert found == ["Pleural effusion", "Pneumothorax", "hiatal hernia"], found
    # The mask, as the archive gives it back.
    (own,) = [series for series, words in described.items() if "NEURAL patches" in words]
    (instance,) = got(f"series/{own}")["Instances"]
    back = requests.get(f"http://127.0.0.1:{HTTP}/instances/{instance}/file", auth=login, timeout=300).content
    (folder / "mask.dcm").write_bytes(back)
    from neuralgraph.pacs.segmentation import kept_mask
    from neuralgraph.storage.archive import load

    assert (dcmread(folder / "mask.dcm").pixel_array == kept_mask(load(folder / "film.ngr"), 0)).all()
    # And out again, byte for byte.
    told = json.loads(ngr("pull", URL, folder / "back", "--studies", "--json"))
    assert told["stored"] == 2, told
    for path in (folder / "back").glob("*.ngr"):
        assert path.read_bytes() == (folder / "film.ngr").read_bytes()
    # The archive sends, we listen: everything of the study, then a client without the password.
    listener = subprocess.Popen(
        [sys.executable, "-m", "neuralgraph", "listen", folder / "sent", "--port", str(OURS), "--caller", "ORTHANC"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert "listening" in listener.stderr.readline()
    instances = [
        found["ID"]
        for found in requests.post(
            f"http://127.0.0.1:{HTTP}/tools/find",
            json={"Level": "Instance", "Expand": True, "Query": {"Modality": "CR"}},
            auth=login,
            timeout=300,
        ).json()
    ]
    answer = requests.post(
        f"http://127.0.0.1:{HTTP}/modalities/ngr/store", json={"Resources": instances, "Synchronous": True}, auth=login,
        timeout=300,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    listener.terminate()
    said, _ = listener.communicate(timeout=300)
    assert said == "2 received, 0 there already, 0 refused\n", said
    assert len(list((folder / "sent").rglob("*.dcm"))) == 2
    os.environ["NGR_DICOMWEB_PASSWORD"] = "wrong"
    ngr("pull", URL, spool, code=3)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    loopback_up()
    os.environ.update(NGR_DICOMWEB_USER="reader", NGR_DICOMWEB_PASSWORD="secret")
    orthanc = start(root)
    try:
        exchange(root)
    finally:
        orthanc.terminate()
        orthanc.wait()
    sys.stdout.write("done\n")
