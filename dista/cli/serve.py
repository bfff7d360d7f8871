"""``dista app``: the dashboard as a process, for this machine or for others."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from dista.extras import need

TOKEN = "DISTA_TOKEN"
"""The variable with the token of the link that lets who comes from elsewhere train."""

_LOCAL = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("0.0.0.0", "::")


def open_app(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    host: Annotated[
        str,
        typer.Option(help="Address to listen at; 0.0.0.0 opens the dashboard to other machines."),
    ] = "localhost",
    name: Annotated[
        list[str] | None,
        typer.Option(help="A name by which others call this server; repeatable; * is any name."),
    ] = None,
    headless: Annotated[bool, typer.Option(help="Do not open a browser (for servers).")] = False,
) -> None:
    """Open the dashboard."""
    need("streamlit", "dista app", "app")
    script = _script()
    check_address(host, port)
    headless = headless or os.environ.get("DISTA_HEADLESS", "") not in ("", "0")
    options = server_options(host, port, name or (), headless)
    environment = dict(os.environ)
    if script.parent.name == "app":  # a clone, which need not be installed
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, (str(script.parent.parent), environment.get("PYTHONPATH")))
        )
    if not _is_local(host):
        environment.setdefault(TOKEN, secrets.token_urlsafe(18))
        print(said_of_others(host, port, name or (), environment), flush=True)
    else:
        print(f"The dashboard: http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    # -P: what lies in the user's folder must not take the place of a module. The folder itself stays.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(script), *options]
    os.execve(sys.executable, command, environment)


def _script() -> Path:
    """The dashboard's main script, in a clone beside the package and in an installation inside it."""
    here = Path(__file__).resolve().parent.parent
    places = (here.parent / "app" / "main.py", here / "_app" / "app" / "main.py")
    script = next((path for path in places if path.is_file()), None)
    if script is None:
        raise ValueError("the dashboard is not installed beside the package; run it from a clone")
    return script


def check_address(host: str, port: int) -> None:
    """ValueError where nothing can listen at ``host``, or something already does at ``port``."""
    if not 0 < port < 65536:
        raise ValueError(f"port={port}; expected a number from 1 to 65535")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        if os.name != "nt":  # there it would let two programs listen at one port
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, 0))
        except OSError as error:
            raise ValueError(
                f"host={host!r} is not an address of this machine; expected localhost, "
                "0.0.0.0 for all of its addresses, or one of them"
            ) from error
    with socket.socket(family) as trial:
        if os.name != "nt":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            why = error.strerror or error
            raise ValueError(
                f"port {port} cannot be listened on ({why}); choose another with --port"
            ) from error


def server_options(host: str, port: int, names: Sequence[str], headless: bool) -> list[str]:
    """What streamlit is told beside the configuration in the dashboard's own folder.

    Requests that call the server by an unknown name are refused: such a name may be that of a page in
    a reader's browser that somebody made to point here (DNS rebinding).
    """
    options = [
        f"--server.address={host}",
        f"--server.port={port}",
        f"--server.headless={str(headless).lower()}",
        *(f"--server.allowedHosts={one}" for one in (*answers_to(host), *names)),
    ]
    # Streamlit would ask a service on the internet for this machine's address, to print it.
    return options if _is_local(host) else [*options, "--logger.hideWelcomeMessage=true"]


def answers_to(host: str) -> list[str]:
    """The names and addresses of the server that listens at ``host``."""
    if _is_local(host):
        return list(dict.fromkeys([*_LOCAL, host]))
    own = _addresses() if host in _EVERYWHERE else [host]
    return list(dict.fromkeys([*_LOCAL, *own, socket.gethostname(), socket.getfqdn()]))


def said_of_others(
    host: str, port: int, names: Sequence[str], environment: Mapping[str, str]
) -> str:
    """What the start of a server that others can reach prints, the link with its token included."""
    plain = [one for one in names if "*" not in one]
    reached = plain or [one for one in answers_to(host) if one not in _LOCAL and ":" not in one]
    links = [f"http://{one}:{port}/?token={environment[TOKEN]}" for one in reached[:3]]
    everybody = environment.get("DISTA_ALLOW_TRAINING") == "1"
    who = "Everybody who reaches it can train." if everybody else "Everybody can look."
    return "\n".join(
        [
            f"The dashboard is open to other machines, at {host}, port {port}. {who}",
            "Who comes by this link can also train here and open paths of this machine:",
            *(f"  {link}" for link in links),
            f"It answers to {', '.join((*answers_to(host), *names))}; --name adds another name.",
        ]
    )


def _is_local(host: str) -> bool:
    """Whether only this machine reaches ``host``: all of 127.0.0.0/8 does not leave it."""
    if host in _LOCAL:
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _addresses() -> list[str]:
    """The addresses of this machine's network interfaces, those of IPv4 first; not the loopback's."""
    import psutil

    interfaces = [one for ones in psutil.net_if_addrs().values() for one in ones]
    ours = [
        one.address.partition("%")[0]
        for family in (socket.AF_INET, socket.AF_INET6)
        for one in interfaces
        if one.family == family
    ]
    return [one for one in ours if not one.startswith("127.") and one != "::1"]
