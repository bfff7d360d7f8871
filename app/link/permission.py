"""Who may do what: everybody who reaches the server may look; to train, and to open its paths, takes more.

It takes to sit at the server, or to come by the link that ``dista app --host`` prints. The variables
DISTA_ALLOW_TRAINING and DISTA_OWN_PATHS say it otherwise: 1 for everybody, 0 for nobody.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import streamlit as st

from app.link import cookies, url

TRAINING, OWN_PATHS = "DISTA_ALLOW_TRAINING", "DISTA_OWN_PATHS"
NO_TRAINING = (
    "To start, continue or stop trainings, open the link with a token that the start of this server "
    f"printed, or sit at it; {TRAINING}=1 allows it to everybody."
)
TOKEN = "DISTA_TOKEN"  # the variable in which ``dista app`` hands it to the server; its module loads slowly
_CAME_BY_LINK = "came by the link"
_COOKIE = "token"
# Whoever passes a request on says so in one of these, or in one that begins with X-Forwarded.
_FORWARDED = {
    "forwarded", "via", "x-real-ip", "x-client-ip", "x-original-host", "x-proxycontextpath",
    "cf-connecting-ip", "true-client-ip",
}  # fmt: skip


class NotAllowed(ValueError):
    """Somebody asked for what is not for him."""


class Visit(NamedTuple):
    """A connection: what the server listens at (None: everywhere), from whom, and with which headers."""

    address: str | None
    peer: str | None
    headers: Mapping[str, str]


# The rule ---------------------------------------------------------------------------------------


def allowed(setting: str | None, visit: Visit, *, by_link: bool = False) -> bool:
    """Whether a reader may: who sits at the server may, unless ``setting`` says 0 or 1."""
    if setting in ("0", "1"):
        return setting == "1"
    return by_link or at_the_server(visit)


def at_the_server(visit: Visit) -> bool:
    """Whether the connection is that of a browser on this machine, to a server that only this machine reaches.

    The peer alone does not say so: a relay on this machine is a local peer, too. It gives itself away by
    a header of its own; or by Host, where it passes the name on by which it was called; or by Origin, which
    browsers send as the page's address and which is another than Host where a relay writes its own there
    (or which is missing, where it drops it). The same holds for a page of another name that was made to
    point here (DNS rebinding). A relay that forges all of them can't be told from a browser.
    """
    headers = {name.lower(): value for name, value in visit.headers.items()}
    if any(name in _FORWARDED or name.startswith("x-forwarded") for name in headers):
        return False
    host, origin = headers.get("host", ""), headers.get("origin", "")
    try:
        names = urlsplit(f"//{host}").hostname, visit.address, visit.peer
        same_page = urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
    return same_page and all(local(name) for name in names)


def local(name: str | None) -> bool:
    """Whether a host's name or address means this machine; IPv4 may be written as IPv6 (::ffff:127.0.0.1)."""
    if not name:
        return False
    if name.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


# The session that asks --------------------------------------------------------------------------


def training() -> bool:
    """Whether this session may start, continue and stop trainings."""
    return _allowed(TRAINING)


def own_paths() -> bool:
    """Whether this session may open checkpoints and recordings by their path on the server."""
    return _allowed(OWN_PATHS)


def check_training() -> None:
    """NotAllowed where ``training`` says no: for what starts and ends processes, whoever calls it."""
    if not training():
        raise NotAllowed(NO_TRAINING)


def _allowed(variable: str) -> bool:
    peer = st.context.ip_address or "127.0.0.1"  # streamlit says None for loopback
    visit = Visit(st.get_option("server.address"), peer, dict(st.context.headers.items()))
    return allowed(os.environ.get(variable), visit, by_link=_came_by_link())


def _came_by_link() -> bool:
    return st.session_state.get(_CAME_BY_LINK, False) or _is_printed(cookies.read(_COOKIE))


def _is_printed(token: str | None) -> bool:
    """Whether it is the token that the start of this server printed."""
    expected = os.environ.get(TOKEN)
    if not expected or not isinstance(token, str):
        return False
    return hmac.compare_digest(token.encode(), expected.encode())


# The link ---------------------------------------------------------------------------------------


def take_token() -> None:
    """Remember who came by the printed link, in a cookie, too, so that a reload does not end it.

    The token goes out of the address, which readers copy and pass on. To be called first in a run.
    """
    token = url.take("token")
    if token is None:
        return
    if _is_printed(token):
        st.session_state[_CAME_BY_LINK] = True
        cookies.write(_COOKIE, value=token)
