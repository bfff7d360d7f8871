"""The stylesheet is in the page that the server answers with, and needs no run of the script."""

import urllib.request
from pathlib import Path

import pytest
import streamlit as st
from starlette.routing import Match

from app.link.vocabulary import PAGES
from app.page import first_page, style

SHEET = f"<style>{style.sheet()}</style>"


def test_what_streamlit_serves_is_kept_and_ours_comes_last():
    theirs = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
    ours = first_page.styled(theirs)
    assert ours.replace(SHEET, "") == theirs
    assert ours.index('id="root"') < ours.index(SHEET) < ours.index("</body>")


def test_a_page_without_an_end_has_the_stylesheet_too():
    assert first_page.styled("<p>words").endswith("<p>words") and SHEET in first_page.styled("<p>")


@pytest.mark.parametrize("base, before", [("", "/"), ("lab", "/lab/"), ("/lab/two/", "/lab/two/")])
def test_the_pages_lie_where_streamlit_serves(monkeypatch, base, before):
    """And nothing else of what it serves is taken from it."""
    monkeypatch.setattr(first_page.st, "get_option", {"server.baseUrlPath": base}.get)

    def ours(path):
        scope = {"type": "http", "method": "GET", "path": f"{before}{path}"}
        return any(route.matches(scope)[0] == Match.FULL for route in first_page.routes())

    assert all(map(ours, ("", *PAGES, "no-such-page", "Watch", "two words", "index.html")))
    others = "favicon.png", "manifest.json", "static/js/index.js", "_stcore/health", "media/a"
    assert not any(map(ours, others))


@pytest.mark.parametrize("page", ["", "memory", "?lesson=1", "first", "Watch", "no-such-page/"])
def test_the_server_answers_with_it(server, page):
    """Also where there is no page: Streamlit says so over the first one."""
    with urllib.request.urlopen(f"{server}/{page}") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert SHEET in answer.read().decode()
