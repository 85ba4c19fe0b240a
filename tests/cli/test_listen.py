"""``ngr listen`` receives until it is stopped, and then says what came."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

pytest.importorskip("pynetdicom", reason="the extra pacs is not installed")

from tests.pacs.conftest import film
from tests.pacs.test_listener import call


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_until_it_is_stopped(tmp_path, stop):
    command = [sys.executable, "-m", "neuralgraph", "listen", str(tmp_path / "spool"), "--port", "0"]
    listening = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    told = re.fullmatch(r"ngr: listening as NEURALGRAPH on 127\.0\.0\.1:(\d+)\n", listening.stderr.readline())
    call(int(told[1]), film(), film(), film(study=""))
    listening.send_signal(stop)
    said, complaints = listening.communicate(timeout=300)
    assert said == "1 received, 1 there already, 1 refused\n", complaints
    assert listening.returncode == 1
    assert len(list((tmp_path / "spool").rglob("*.dcm"))) == 1
