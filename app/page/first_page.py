"""The page that Streamlit's server answers with, and the dashboard's stylesheet in it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.page import style


class _Page(StringConvertor):
    """What may be a page's name: nothing, or a word without a dot. Streamlit answers with its page to others, too,
    which it then does not know."""

    regex = r"[^/.]*|index\.html"


def routes() -> list[Route]:
    """For every address of a page, below the path at which Streamlit is told to serve (``baseUrlPath``)."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    html = styled((Path(st.__file__).parent / "static" / "index.html").read_text("utf-8"))

    def answer(_: Request) -> HTMLResponse:
        # As Streamlit's own: looked for again at every visit, since it names the files of its version.
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    register_url_convertor("page", _Page())
    return [Route(f"/{base}/{{page:page}}" if base else "/{page:page}", answer)]


def styled(html: str) -> str:
    """``html`` with the stylesheet at the end of its body, behind those that Streamlit makes in the head: rules of
    equal weight are then ours."""
    before, end, after = html.rpartition("</body>")
    return f"{before}<style>{style.sheet()}</style>{end}{after}"
