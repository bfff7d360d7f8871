"""Cookies: what a browser remembers for this dashboard beyond a session."""

from __future__ import annotations

from functools import cache
from typing import Any

import streamlit as st


def read(name: str) -> str | None:
    """What the browser said under ``name`` when it opened the page; None where it said nothing."""
    return st.context.cookies.get(_full(name))


def write(name: str, value: str, *, days: int = 0) -> None:
    """Have the browser remember ``value``: until it is closed, or for ``days``.

    To be called while a page is made, not in a callback: the browser writes it, as Streamlit sets no cookie.
    """
    _writer()(
        key=f"cookie-{name}", data={"name": _full(name), "value": value, "seconds": days * 86400}
    )


def _full(name: str) -> str:
    """Cookies are not kept apart by port; names are."""
    return f"dista-{name}-{st.get_option('server.port')}"


@cache
def _writer() -> Any:
    js = """export default ({ data }) => {
      const age = data.seconds ? `; max-age=${data.seconds}` : "";
      document.cookie = `${data.name}=${encodeURIComponent(data.value)}; path=/; SameSite=Strict${age}`;
    }"""
    return st.components.v2.component("dista_cookie", js=js)
