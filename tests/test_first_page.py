"""The stylesheet is in the page that the server answers with, and needs no run of the script."""

import urllib.request
from pathlib import Path

import pytest
import streamlit as st

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
    monkeypatch.setattr(first_page.st, "get_option", {"server.baseUrlPath": base}.get)
    assert [one.path for one in first_page.routes()] == [f"{before}{page}" for page in ("", *PAGES)]


@pytest.mark.parametrize("page", ["", "memory", "?lesson=1"])
def test_the_server_answers_with_it(server, page):
    with urllib.request.urlopen(f"{server}/{page}") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert SHEET in answer.read().decode()
