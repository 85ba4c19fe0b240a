"""The worker process: ``python -m neuralgraph.bulk.worker``, settings and tasks on stdin, answers on stdout.

A process of its own per worker, spoken to in JSON lines: nothing is pickled, a file that brings down its decoder brings
down one worker, and a worker ends as soon as whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from queue import SimpleQueue

from neuralgraph.bulk.converter import Converter, MakerOf, default_maker
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import answer_line, read_task
from neuralgraph.errors import NeuralGraphError

__all__ = ["serve"]


def serve(make: MakerOf) -> None:
    """Answer until stdin ends.

    Parameters
    ----------
    make : gives the maker of studies for the settings, and what identifies its method.
    """
    # The parent decides when to stop; a Ctrl-C reaches the whole terminal, and would tear a study from its worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # Libraries print; what they print must not get between the answers.
    os.dup2(2, 1)
    settings = ConversionSettings.read(json.loads(sys.stdin.buffer.readline()))
    tasks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    try:
        maker, method = make(settings)
    except NeuralGraphError as error:
        answers.write(json.dumps({"code": error.code, "message": error.message}).encode() + b"\n")
        return
    answers.write(json.dumps({"method": method}).encode() + b"\n")
    converter = Converter(settings, maker)
    while True:
        answers.write(answer_line(converter(read_task(tasks.get()))))


def _listen(tasks: SimpleQueue[bytes]) -> None:
    """Pass tasks on; end the process with the parent, even in the middle of a study: files are whole or absent."""
    for line in sys.stdin.buffer:
        tasks.put(line)
    os._exit(0)


if __name__ == "__main__":
    serve(default_maker)
