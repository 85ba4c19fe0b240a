"""``ngr serve``: a collection over HTTP."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

import typer

from neuralgraph.cli.films import FilmOptions
from neuralgraph.cli.option_groups import grouped
from neuralgraph.cli.output import note, write_line
from neuralgraph.errors import OutputError, missing_extra

__all__ = ["serve"]


@grouped
def serve(
    place: Annotated[str, typer.Argument(metavar="DIR", help="The folder of a collection.")],
    films: FilmOptions,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.", min=0, max=65535)] = 8765,
    token_file: Annotated[
        Path | None, typer.Option(help="Tokens that readers show, one a line; needed beyond this machine.")
    ] = None,
) -> None:
    """Serve a collection to be read: archives by ranges, the catalogue, single studies, and a page to look at them.

    Only this machine can reach it unless --host says otherwise, and then readers must show a bearer token. It speaks
    plain HTTP: put a reverse proxy with TLS before it. Nothing is changed, and no address of a study is logged. With
    --images whoever may read also sees the films, which identify patients far more than studies do.

    Example: ngr serve hospital
    """
    try:
        import uvicorn
    except ImportError as error:
        raise missing_extra("serving a collection", extra="serve", library="uvicorn") from error
    from neuralgraph.serving import Tokens, application

    tokens = Tokens() if token_file is None else Tokens.read(token_file)
    if not tokens.needed and not _is_loopback(host):
        reason = "whoever reaches this address could read every study; say who may with --token-file"
        raise OutputError(reason, code="E_OUTPUT", where=host)
    at_hand = films.of(Path(place))
    app = application(place, tokens, films=None if at_hand is None else at_hand.pixels)
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)
    try:
        listening = config.bind_socket()
    except SystemExit as error:
        reason = "the address cannot be listened on; is another server there?"
        raise OutputError(reason, code="E_OUTPUT", where=f"{host}:{port}") from error
    shown = f"[{host}]" if ":" in host else host
    write_line(f"http://{shown}:{listening.getsockname()[1]}/")
    note("serving until interrupted; /docs lists the addresses")
    server.run(sockets=[listening])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
