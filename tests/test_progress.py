"""Work that takes a while has one bar, and one word that ends it."""

from __future__ import annotations

import ast

import dashboard
import pytest
from streamlit.testing.v1 import AppTest

from app.computed import reruns

FILES = sorted(dashboard.APP.rglob("*.py"))


def test_bars_are_made_in_one_place():
    modules = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.progress":
                modules.add(f"{path.parent.name}/{path.name}")
            if isinstance(node, ast.Constant):
                assert node.value not in ("Cancel", "Stop here", "Abort"), path.name
    on_without_the_page = {"learning/progress.py", "studies/progress.py"}  # trainings
    assert modules == {"page/progress.py"} | on_without_the_page


def work():
    import streamlit as st

    from app.page import progress

    def stop(name, left):
        st.session_state["stopped"] = name, left

    if "stopped" not in st.session_state:
        with progress.working("it", "0 of 4", stop, "it", left=3, then="Show it") as report:
            report(0.25, "1 of 4")
            st.stop()
    with progress.measuring(stop, "4 samples", "all") as seen:
        seen(0.5)
    st.text("done")


def test_a_click_ends_it_and_the_bar_is_gone_when_it_is_done():
    app = AppTest.from_function(work).run()
    (bar,) = app.get("progress")
    assert (bar.proto.text, bar.proto.value) == ("1 of 4", 25)
    (button,) = app.button
    assert button.label == "Stop" and button.help == "Show it"
    button.click().run()
    assert app.session_state["stopped"] == ("it", 3)
    assert not app.get("progress") and not app.button and app.text[0].value == "done"


def test_the_four_networks_of_memory_can_be_stopped_and_asked_for_again(page, monkeypatch):
    import streamlit as st

    with monkeypatch.context() as patch:
        patch.setattr(reruns, "effects", lambda *_: st.stop())
        test = page("memory")
        next(one for one in test.button if one.label == "Stop").click().run()
    assert not test.exception and not test.get("plotly_chart") and not test.get("progress")
    next(one for one in test.button if one.label.startswith("Change one step")).click().run()
    assert len(test.get("plotly_chart")) >= 7 and not test.exception


@pytest.mark.parametrize("view", ["energy", "denoise"])
def test_what_was_asked_for_can_be_left(page, view, monkeypatch):
    import streamlit as st

    from app.computed import experiments

    name = {"energy": "operations", "denoise": "noise_curve"}[view]
    with monkeypatch.context() as patch:
        patch.setattr(experiments, name, lambda *_: st.stop())
        test = page(view, checkpoint="digits", samples="100")
        assert next(one for one in test.button if one.label == "Stop")
    next(one for one in test.button if one.label == "Stop").click().run()
    assert "samples" not in test.query_params and not test.exception
