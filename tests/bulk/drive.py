"""Converts a folder with fake workers: drive.py SOURCE DEST PACK. Tests kill it."""

import signal
import sys
from pathlib import Path

from neuralgraph.bulk import ConversionSettings, convert, make_plan
from neuralgraph.bulk.destination import Destination
from neuralgraph.bulk.pseudonyms import Pseudonyms
from neuralgraph.bulk.run import RunOptions
from neuralgraph.sources.layouts import Roots, resolve_manifest

FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
KEY = b"0123456789abcdef"

if __name__ == "__main__":
    source, dest, pack = sys.argv[1:]
    asked = []
    signal.signal(signal.SIGINT, lambda *_: asked.append(1))
    signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
    outcome = convert(
        make_plan(resolve_manifest(Roots(Path(source)), "folder"), Pseudonyms(KEY)),
        Destination(dest),
        ConversionSettings(),
        RunOptions(workers=2, pack=int(pack), command=FAKE),
        stop=lambda: bool(asked),
    )
    sys.stdout.write(f"{outcome.converted} {outcome.verified} {outcome.failed} {outcome.remaining}\n")
    sys.exit(0 if outcome.complete else 1)
