"""The words of links: the table has all of them, old ones still say the same, and a link is complete."""

from __future__ import annotations

import ast
from urllib.parse import parse_qs, urlsplit

import dashboard
import pytest
from streamlit.testing.v1 import AppTest

from app.link import share, url, vocabulary
from dista.widgets.state import FIELDS

QUICK = ("watch", "neurons", "train")  # pages that are not slow ones
FILES = sorted(dashboard.APP.rglob("*.py"))
READERS = {
    "text",
    "take",
    "number",
    "real",
    "choice",
    "numbers",
    "bound",
    "opened",
    "show",
    "check",
}
DYNAMIC = {  # where a name is not written where it is read, and what it is there
    "app/inputs/own_input_form.py": {"image", "events"},  # NAMES
    "app/views/neurons.py": {"channel", "neuron-row", "neuron-column"},  # PLACE
    "app/page/playground.py": {"u", "window", "tau-times", "noise"},  # _slider, _nearest
    "app/views/watch.py": {"block", "head", "row", "column", "step"},  # where it opens
    "app/link/url.py": set(FIELDS) - {"sample"}
    | {"from"},  # the place of the probe, and what it counts from
}


def named(node: ast.Call) -> set[str] | None:
    """The names of links in a call; None where they cannot be read off it."""
    if not (isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)):
        return set()
    module, function = node.func.value.id, node.func.attr
    if module == "url" and function == "write":
        return {word.arg for word in node.keywords if word.arg}
    chooser = module == "checkpoints" and function == "choose"
    if not (chooser or (module == "url" and function in READERS)):
        return set()
    first = node.args[0]
    return {first.value} if isinstance(first, ast.Constant) else None


def read_in(path) -> tuple[set[str], bool]:
    calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
    groups = [named(call) for call in calls]
    return set().union(*(names for names in groups if names)), None in groups


def test_every_name_that_is_read_is_in_the_table_and_the_other_way_round():
    seen = set()
    for path in FILES:
        names, dynamic = read_in(path)
        place = path.relative_to(dashboard.APP.parent).as_posix()
        assert names <= vocabulary.TABLE.keys(), place
        assert not dynamic or place in DYNAMIC or place == "app/inputs/checkpoints.py", place
        seen |= names | DYNAMIC.get(place, set())
    assert seen == set(vocabulary.TABLE)


def test_the_url_is_read_in_one_place():
    assert [p.name for p in FILES if "st.query_params" in p.read_text("utf-8")] == ["url.py"]


def test_every_entry_says_what_it_is_and_of_which_pages():
    views = {path.stem for path in (dashboard.APP / "views").glob("*.py")} - {"__init__"}
    assert set(vocabulary.PAGES) == views
    for one in vocabulary.TABLE.values():
        assert one.meaning and one.default and one.pages and set(one.pages) <= views
        assert set(one.was) <= set(one.pages)
    for page in views:  # no old name is two things on one page, or is today's name of another
        old = [one.was[page] for one in vocabulary.of_page(page) if page in one.was]
        assert len(set(old)) == len(old)
        assert not set(old) & {one.name for one in vocabulary.of_page(page)}


@pytest.mark.parametrize("page, name", [(None, "smaple"), ("watch", "samples"), ("memory", "step")])
def test_a_name_that_the_table_does_not_have_fails(page, name):
    with pytest.raises(vocabulary.UnknownName, match=r"app/link/vocabulary\.py"):
        vocabulary.check(name, page)


def test_that_failure_is_not_taken_for_a_readers_mistake():
    from app.link import plain

    with pytest.raises(vocabulary.UnknownName), plain.errors():
        vocabulary.check("smaple", None)


# Old links ----------------------------------------------------------------------------------------

OLD = [  # a page, a link of before, and what it has to say today
    ("watch", {"checkpoint": "digits", "sample": "3", "step": "2", "row": "1"}, {}),
    ("neurons", {"over": "16", "row": "2", "column": "4", "channel": "3"},
     {"samples": "16", "neuron-row": "2", "neuron-column": "4", "channel": "3"}),
    ("denoise", {"checkpoint": "match-map", "noise": "gaussian", "step": "6", "curve": "50"},
     {"kind": "gaussian", "changed": "6", "samples": "50"}),
    ("memory", {"of": "blocks.0.attention.denoise", "step": "5"},
     {"compared": "blocks.0.attention.denoise", "changed": "5"}),
    ("train", {"run": "some-run", "epoch": "1", "step": "2"}, {}),
    ("runs", {"selected": "some-run", "filter": "stopped"}, {}),
    ("ablate", {"checkpoint": "digits", "limit": "30"}, {"samples": "30"}),
    ("compare", {"left": "digits", "noise": "0.5", "step": "1"}, {"checkpoint": "digits"}),
    ("energy", {"checkpoint": "digits", "of": "spikes", "samples": "25"}, {"quantity": "spikes"}),
]  # fmt: skip


def one(said):
    return said if isinstance(said, str) else said[0]


@pytest.mark.parametrize(
    "view, old, new",
    [case if case[0] in QUICK else dashboard.slow(*case) for case in OLD],
    ids=[view for view, *_ in OLD],
)
def test_old_links_show_what_they_showed(page, view, old, new):
    test = page(view, **old)
    gone = {one.was[view] for one in vocabulary.of_page(view) if view in one.was}
    expected = {name: text for name, text in old.items() if name not in gone} | new
    assert not test.exception and not test.error and not test.warning
    address = {name: one(said) for name, said in test.query_params.items()}
    assert address == vocabulary.written(expected), "in today's way"
    shown = test.session_state["url shown"]
    assert {name: shown[name] for name in expected} == expected


def test_every_page_has_an_old_link_and_every_old_name_is_in_one():
    assert [view for view, *_ in OLD] == list(vocabulary.VIEWS)
    for view, old, _ in OLD:
        assert {o.was[view] for o in vocabulary.of_page(view) if view in o.was} <= old.keys()


def test_of_two_names_for_one_thing_the_newer_counts():
    assert vocabulary.translated("ablate", {"limit": "30", "samples": "40"}) == {"limit": None}
    assert vocabulary.translated("compare", {"noise": "0.4"}) == {}


# Counting from 1 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link, state",
    [
        ({"step": "8", "block": "2", "sample": "1", "from": "1"}, {"step": "7", "block": "1", "sample": "1"}),
        ({"step": "7", "block": "1"}, {"step": "7", "block": "1"}),  # an older one
        ({"key": "8.2.1", "layer": "blocks.0.mlp.hidden.neuron", "from": "1"},
         {"key": "7.1.0", "layer": "blocks.0.mlp.hidden.neuron"}),
        ({"switches": "memory,u=3,head=1.2,block=2,window=2,noise=0.1", "from": "1"},
         {"switches": "memory,u=3,head=0.1,block=1,window=2,noise=0.1"}),
        ({"silent": "1.1,2.4", "changed": "all", "u": "3", "from": "1"}, {"silent": "0.0,1.3", "changed": "all", "u": "3"}),
    ],
)  # fmt: skip
def test_places_count_from_1_in_a_link_that_says_so(link, state):
    assert vocabulary.read(link) == state
    assert vocabulary.read(vocabulary.written(state)) == state
    assert "from" not in link or vocabulary.written(state) == link


def test_a_link_without_places_says_nothing_of_counting():
    plain = {"switches": "memory", "changed": "all", "sample": "3", "step": "x"}
    assert vocabulary.written(plain) == plain


def reading():
    import streamlit as st

    from app.link import url

    problems = []
    url.begin("memory")
    st.text(
        str(
            [url.number("changed", 4, problems), url.choice("compared", ["head"], "head", problems)]
        )
    )
    st.button("on", on_click=url.write, kwargs={"changed": 6})
    st.number_input("Changed", 1, 9, **url.counted("changed", 3))
    for problem in problems:
        st.caption(problem)


def test_a_page_counts_from_0_and_its_address_from_1():
    app = AppTest.from_function(reading)
    app.query_params.update({"changed": "3", "from": "1"})
    app.run()
    assert app.text[0].value == "[2, 'head']" and app.number_input[0].value == 4
    app.button[0].click().run()
    assert {n: one(t) for n, t in app.query_params.items()} == {"changed": "7", "from": "1"}
    app.number_input[0].set_value(1).run()
    assert app.text[0].value == "[0, 'head']" and one(app.query_params["changed"]) == "1"


@pytest.mark.parametrize("said, start", [("0", 1), ("x", 1), ("1e3", 1)])
def test_what_is_wrong_is_said_as_the_link_says_it(said, start):
    app = AppTest.from_function(reading)
    app.query_params.update({"changed": said, "from": str(start)})
    app.run()
    assert app.text[0].value == "[4, 'head']"
    assert app.caption[0].value.startswith(
        f"The link says changed={said!r}, which is not a whole number from 1"
    )


# Complete links -----------------------------------------------------------------------------------

DEFAULTS = {
    "watch": {"checkpoint": "match-map", "sample": str(dashboard.SAMPLE), "to": "cue", "noise": "0.0", "stage": "denoise"},
    "neurons": {"checkpoint": "match-map", "samples": "64", "taus": "learned", "scope": "layer"},
    "denoise": {"kind": "salt-and-pepper", "level": "0.3", "where": "centre", "changed": "all", "samples": "0"},
    "memory": {"input": "blank", "changed": "0", "compared": "head", "network": "trained"},
    "train": {"run": "some-run", "epoch": "latest", "step": "7", "block": "1"},
    "runs": {"study": "all runs"},
    "ablate": {"samples": "25", "switches": "memory"},
    "compare": {"checkpoint": "match-map", "right": "match-map", "noise": "0.3"},
    "energy": {"samples": "25", "quantity": "energy", "stop": "8"},
}  # fmt: skip


def links_of(test: AppTest) -> list[dict[str, str]]:
    test.session_state[share.OPEN] = True
    test.run()
    addresses = [c.value for c in test.code if c.value.startswith("?") or "://" in c.value]
    return [{k: v[0] for k, v in parse_qs(urlsplit(one).query).items()} for one in addresses]


@pytest.mark.parametrize("view", [v if v in QUICK else dashboard.slow(v) for v in DEFAULTS])
def test_a_link_says_also_what_is_at_its_default(page, view):
    test = page(view, **({"samples": "25"} if view == "ablate" else {}))
    link, lesson = links_of(test)
    assert not test.exception and DEFAULTS[view].items() <= vocabulary.read(link).items()
    assert lesson == link | {"lesson": "1"} and "new-preset" not in link
    again = page(view, **link)
    assert not again.warning and links_of(again)[0] == link, "and opens the same view"


def test_latest_is_an_epoch_that_moves_on(page):
    test = page("train", epoch=url.LATEST)
    assert test.toggle[0].value is True and not test.warning
    assert page("train", epoch="1").toggle[0].value is False


# Streamlit's own ----------------------------------------------------------------------------------


def bound():
    import streamlit as st

    st.number_input("Sample", 0, 9, 4, key="sample", bind="query-params")
    st.text(str(st.session_state["sample"]))


@pytest.mark.parametrize("text, expected", [("7", "7"), ("99", "4"), ("x", "4")])
def test_what_streamlits_own_binding_does_with_a_bad_value(text, expected):
    """The reason of app/link/url.py: it says nothing. Where this fails, look whether it now does."""
    app = AppTest.from_function(bound)
    app.query_params["sample"] = text
    app.run()
    assert app.text[0].value == expected and not app.exception
    assert not app.warning and not app.error, "nobody hears of it"


def test_streamlits_own_binding_knows_no_components():
    import inspect

    import streamlit as st

    component = st.components.v2.component("dista_binding", js="export default () => {}")
    assert "bind" not in inspect.signature(component).parameters
