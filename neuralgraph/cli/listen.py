"""``ngr listen``: films that an archive sends."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.output import note, write_line

__all__ = ["listen"]


def listen(
    spool: Annotated[Path, typer.Argument(help="The folder to fill; made when absent, readable by its owner only.")],
    title: Annotated[str, typer.Option(help="Our application entity title.")] = "NEURALGRAPH",
    host: Annotated[str, typer.Option(help="Where to listen; 0.0.0.0 for every interface.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="On which port.", min=0, max=65535)] = 11112,
    caller: Annotated[list[str] | None, typer.Option(help="Only these titles may call; repeatable.")] = None,
) -> None:
    """Receive films by C-STORE into the folder SPOOL, until stopped by SIGINT or SIGTERM.

    SPOOL then holds originals under real names; 'ngr convert SPOOL DEST --layout dicom' converts them, and can run
    again and again while more arrive. An object that is sent again with other content is kept as the correction of the
    older one, which is put aside.

    Example: ngr listen spool/ --host 10.0.0.5 --caller MODALITY1
    """
    from neuralgraph.pacs.listener import Listener
    from neuralgraph.pacs.spool import Spool

    counts: Counter[str] = Counter()
    stopped = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Listener(
            Spool(spool),
            title=title,
            host=host,
            port=port,
            callers=caller or (),
            told=lambda code: counts.update([code]),
        ) as listener:
            note(f"listening as {title} on {host}:{listener.port}")
            stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    kept = ("stored", "repeated", "corrected")
    refused = sum(number for code, number in counts.items() if code not in kept)
    corrected = f"{counts['corrected']:,} corrected, " if counts["corrected"] else ""
    write_line(f"{counts['stored']:,} received, {counts['repeated']:,} there already, {corrected}{refused:,} refused")
    if refused:
        raise typer.Exit(1)
