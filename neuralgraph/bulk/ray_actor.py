"""The converter as a Ray actor: what ``worker`` is to a process of its own."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress

from neuralgraph.bulk.converter import Converter, MakerOf
from neuralgraph.bulk.settings import ConversionSettings
from neuralgraph.bulk.task import answer_line, read_task
from neuralgraph.errors import NeuralGraphError

__all__ = ["ConverterActor"]


class ConverterActor:
    """Loads the model once, then converts one study after another.

    Parameters
    ----------
    settings : of the conversion, as JSON.
    make : gives the maker of studies for the settings, and what identifies its method.
    verbose : let through what libraries write; they may quote headers, and Ray keeps what is written in log files.
    """

    def __init__(self, settings: str, make: MakerOf, *, verbose: bool) -> None:
        if not verbose:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (1, 2):
                os.dup2(nowhere, stream)
        # The driver decides when to stop; a Ctrl-C reaches its whole terminal.
        with suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._converter: Converter | None = None
        read = ConversionSettings.read(json.loads(settings))
        try:
            maker, method = make(read)
        except NeuralGraphError as error:
            self._greeting = json.dumps({"code": error.code, "message": error.message})
            return
        self._greeting = json.dumps({"method": method})
        self._converter = Converter(read, maker)

    def greeting(self) -> bytes:
        """What identifies the method, or why the model cannot be used: the line a worker begins with."""
        return self._greeting.encode()

    def convert(self, line: bytes) -> bytes:
        """One study: a task line in, an answer line out."""
        assert self._converter is not None
        return answer_line(self._converter(read_task(line)))
