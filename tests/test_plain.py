"""What comes from outside is shown as text: no link, no picture, no colour, and nothing lost of it."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import dashboard
import pytest
from browsing import PATIENCE, needs_chromium, serving
from dashboard import APP

from app.link.plain import path, text, without_folders
from app.page import downloads
from dista.checkpoint import assets

OUTSIDE = [
    "![x](http://evil.example/a.png)", "[link](http://evil.example)", "https://evil.example/x",
    "HTTP://EVIL.EXAMPLE", "www.evil.example", "a@evil.example", "mailto:a@evil.example",
    "<http://evil.example>", "<b>html</b>", "**bold**", "_it_ __it__ a_b_c", "`code` ```more```",
    "$x^2$ $$y$$", ":red[red] :red-badge[x] ::x[] :blue-background[y]", ":material/home: :smile:",
    ":streamlit:", "--set x=1 --> <-- <-> -> >= <= ~= ---", "~~gone~~ ~x~", "&lt;b&gt; &#60;",
    r"\* C:\runs\x a\\b", "# head", "- list", "+ list", "1. one", "1) one", "> quote", "| a |", "===",
    "[x]: http://evil.example", "[^1]", "two\nlines", "a::b", "\ue000 :gray[]",
]  # fmt: skip

PAGE = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from app.link import plain
outside = {outside!r}
for one in outside:
    plain.warn([one])
    st.markdown(f"**{{plain.text(one)}}**")
st.pills("pills", outside, format_func=plain.text)
st.button(plain.text(" ".join(outside)))
"""


def test_words_and_numbers_stay_readable():
    """Where nothing has to be escaped nothing is: sentences can be found in what the pages hold."""
    for plain in ("Run some-run: 97.4 % of 1,000 (seed 0), match_map.", "it's 3 > 2; ja, é ü 数"):
        assert text(plain).replace("\\", "") == plain
    assert text(Path("runs/a_b")) == "runs/a_b" and text(12) == "12"


@needs_chromium
def test_a_browser_shows_it_as_it_is(browser, tmp_path):
    """In warnings, sentences, buttons and choices of a page of Streamlit's own."""
    (tmp_path / "page.py").write_text(PAGE.format(root=str(APP.parent), outside=OUTSIDE))
    with serving("page.py", tmp_path) as (_, address):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.locator(".stButton button").last.wait_for()
        seen = [" ".join(one.split()) for one in page.locator(".stAlert").all_inner_texts()]
        wanted = [" ".join(one.replace("\ue000", "").split()) for one in OUTSIDE]
        assert seen == wanted
        bold = page.locator(".stMarkdown strong").all_inner_texts()
        assert [" ".join(one.split()) for one in bold] == wanted
        assert page.locator(".stButtonGroup button").all_inner_texts() == wanted
        assert page.locator(".stButton button").last.inner_text() == " ".join(wanted)
        main = page.locator(".stMain")
        for tag in ("a", "img", "code", "em", "del", "li", "h1", "blockquote", "table", ".katex"):
            assert main.locator(tag).count() == 0, tag
        assert not [url for url in asked if "evil" in url]


def test_no_page_says_a_problem_by_itself():
    """``plain`` alone calls what makes Markdown of sentences on what was wrong outside."""
    for file in APP.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                said = node.func.attr in ("warning", "error", "exception")
                assert (
                    not said or file.name == "plain.py" or ast.unparse(node.func) == "plain.error"
                )


@pytest.mark.parametrize(
    "view",
    [
        "watch",
        "ablate",
        *map(dashboard.slow, ["neurons", "denoise", "memory", "compare", "energy"]),
    ],
)
def test_a_link_cannot_speak_for_a_page(page, view):
    bad = "**bold** ![x](http://evil.example/a.png)"
    limit = {"samples": "25"}
    test = page(view, **limit | {name: bad for name in ("checkpoint", "sample")})
    said = " ".join(one.value for one in test.warning)
    assert not test.exception and text(bad[:30]) in said and bad[:30] not in said


def test_names_of_runs_and_classes_are_text(page, runs, tmp_path, monkeypatch):
    shutil.copytree(runs / "some-run", tmp_path / "**evil** :red[x]")
    status = tmp_path / "**evil** :red[x]" / "status.json"
    status.write_text(status.read_text().replace("interrupted", "![x](http://evil.example)"))
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    test = page("train")
    assert not test.exception
    (pills,) = [one for one in test.get("button_group") if one.label == "Run"]
    assert pills.options[0].startswith(text("**evil** :red[x]"))
    assert text("![x](http://evil.example)") in test.get("progress")[0].proto.text


def test_where_the_server_keeps_its_files_is_not_for_everybody(monkeypatch):
    monkeypatch.setenv("DISTA_OWN_PATHS", "0")
    here = f"{Path.cwd()}/runs/a is damaged; see {assets()}/x, {Path.home()}, {Path.cwd()}."
    assert str(Path.home()) not in without_folders(here)
    assert str(Path.cwd()) not in without_folders(here) and "runs/a is damaged" in without_folders(
        here
    )
    assert path(Path("runs")) == "runs"
    monkeypatch.setenv("DISTA_OWN_PATHS", "1")
    assert without_folders(here) == here
    assert path(Path("runs")) == text(Path("runs").absolute())


# Names of files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checkpoint", "expected"),
    [
        ("match-map", "match-map"),
        ("runs/mine/checkpoints/best", "mine"),
        ("/home/me/runs/mine/checkpoints/best", "mine"),
        ("/home/me/my checkpoint", "my-checkpoint"),
        ("a/b", "b"),
        ("../..", "dista"),
        ("/", "dista"),
        ("**x**/<b>:|?*", "b"),
        ("a" * 300, "a" * 60),
    ],
)
def test_a_download_is_called_by_the_last_name(checkpoint, expected):
    assert downloads.short(checkpoint) == expected


def test_a_name_has_no_folders():
    assert downloads.file_name("watch-../../etc/pass wd-3") == "watch-..-..-etc-pass-wd-3"
    assert downloads.file_name("..") == "dista" and downloads.file_name(r"a\b") == "a-b"
