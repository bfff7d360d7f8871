"""The URL keeps what was done in quick succession: a browser that lags behind undoes nothing."""

import pytest
from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from app.link import following, url

    following.resume("watch")
    for name in ("u", "tau"):
        st.button(name, key=name, on_click=url.write, kwargs={name: 1})
        st.button(f"no {name}", key=f"no {name}", on_click=url.write, kwargs={name: None})


def after(app: AppTest, browser: dict[str, str], *clicked: str) -> dict[str, str]:
    """The URL after the clicked buttons, the browser being at its own ``browser`` all the time."""
    for name in clicked:
        app.query_params.clear()
        app.query_params.update(browser)
        app.button(name).click().run()
        assert not app.exception
    return {name: value for name, (value,) in app.query_params.items()}


def test_a_browser_that_has_not_heard_of_a_change_does_not_undo_it():
    app = AppTest.from_function(page).run()
    assert after(app, {}, "u", "tau") == {"u": "1", "tau": "1"}
    assert after(app, {"u": "1"}, "no u", "tau", "no tau") == {}, (
        "heard of the first, not of the others"
    )
    assert after(app, {}, "u", "no u", "tau") == {"tau": "1"}


def test_going_back_is_no_lag():
    app = AppTest.from_function(page).run()
    assert after(app, {}, "u") == {"u": "1"}
    app.query_params.clear()
    app.run()  # the back button: a run without a click
    assert after(app, {}, "tau") == {"tau": "1"}


def test_a_link_is_no_lag():
    app = AppTest.from_function(page).run()
    assert after(app, {}, "u") == {"u": "1"}
    assert after(app, {"level": "3"}, "tau") == {"tau": "1", "level": "3"}


def read():
    import streamlit as st

    from app.link import url

    problems = []
    st.text(str(url.number("sample", 7, problems)))
    for problem in problems:
        st.caption(problem)


@pytest.mark.parametrize(
    "text, expected", [("5", 5), ("2147483647", 2147483647), ("0", 0), ("007", 7)]
)
def test_whole_numbers_are_exact(text, expected):
    app = AppTest.from_function(read)
    app.query_params["sample"] = text
    app.run()
    assert [one.value for one in app.text] == [str(expected)] and not app.caption


@pytest.mark.parametrize(
    "text", ["4294967301", "2147483648", "-1", "1e3", "५", "9" * 5000, "", "5.0"]
)
def test_a_number_that_no_page_holds_does_not_become_another_one(text):
    app = AppTest.from_function(read)
    app.query_params["sample"] = text
    app.run()
    assert not app.exception and [one.value for one in app.text] == ["7"]
    assert "not a whole number from 0 to 2147483647" in app.caption[0].value
