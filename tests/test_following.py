"""What a reader looks at follows him from page to page; what stays behind is said."""

from __future__ import annotations

import dashboard
import pytest
from streamlit.testing.v1 import AppTest

from app.denoising import maps
from app.link import vocabulary
from app.page import each_part, next_page
from app.page.next_page import Way
from dista.measures import Looker

PATCH = {"step": "2", "block": "1", "head": "0", "row": "3", "column": "4"}
OWN = "eJxjYBgFAAABEAAB"  # any text: whether it is a picture is not the menu's business


@pytest.fixture
def main(page):
    """``main(**query)``: the dashboard with its menu, at Watch."""

    def open_main(**query):
        return dashboard.main_page(**query).run()

    return open_main


def go(test, view):
    """By the menu, whose links have no state."""
    test.query_params.clear()
    return test.switch_page(f"views/{view}.py").run()


def state(test):
    return dashboard.state(test)


def test_the_menu_takes_the_reader_along_with_what_he_looks_at(main):
    test = main(checkpoint="digits", sample="3", **PATCH)
    go(test, "neurons")
    assert state(test) == {"checkpoint": "digits", "sample": "3"} and not test.exception
    assert test.number_input[0].value == 3 and not test.warning
    test.number_input[0].set_value(5).run()
    go(test, "energy")
    assert state(test) == {"checkpoint": "digits"}, "of many samples"
    assert any("Sample 5 is kept for other pages" in one.value for one in test.caption)
    go(test, "watch")
    subject = {"checkpoint": "digits", "sample": "5", "layer": "stem.stages.1.neuron"}
    assert state(test) == subject | PATCH and not test.warning
    assert not any("is kept" in one.value for one in test.caption)


def test_a_default_follows_too(main):
    test = main(checkpoint="digits", sample="3")
    go(test, "denoise")
    test.query_params.clear()
    test.switch_page("views/watch.py").run()
    test.selectbox[0].set_value("match-map").run()
    go(test, "denoise")
    assert state(test)["checkpoint"] == "match-map", "not that with which the page was left"


def test_train_keeps_to_its_run_and_changes_nothing(main):
    test = main(checkpoint="digits", sample="3", **PATCH)
    go(test, "train")
    assert not state(test) and not test.exception and not test.warning
    go(test, "watch")
    assert state(test) == {"checkpoint": "digits", "sample": "3"} | PATCH


# The table ----------------------------------------------------------------------------------------


def test_a_path_goes_instead_of_a_checkpoint():
    both = {"checkpoint": "/a", "path": "/a", "sample": "3"}
    assert vocabulary.subject("watch", both) == {"path": "/a", "sample": "3"}
    assert vocabulary.subject("compare", both) == {"path": "/a", "sample": "3"}
    beside = {"checkpoint": "digits", "path": "/a"}
    assert vocabulary.subject("compare", beside) == {"checkpoint": "digits"}
    assert vocabulary.subject("neurons", beside) == beside, (
        "a recording, which Watch can show again"
    )


def test_a_step_goes_and_all_of_them_do_not():
    assert vocabulary.subject("denoise", {"changed": "all", "sample": "1"}) == {"sample": "1"}
    assert vocabulary.subject("memory", {"changed": "3", "compared": "head"}) == {"changed": "3"}


@pytest.mark.parametrize(
    "page, carried, said",
    [
        ("memory", {"image": OWN, "sample": "3"}, "The own input is not shown here: this page compares"),
        ("energy", {"events": "abc"}, "this page answers many held-out samples"),
        ("ablate", {"sample": "3"}, "Sample 3 is kept for other pages"),
        ("memory", {"sample": "3"}, None),
        ("neurons", {"image": OWN, "sample": "3"}, None),
        ("train", {"image": OWN, "sample": "3"}, None),
    ],
)  # fmt: skip
def test_what_stays_behind_is_said_with_its_reason(page, carried, said):
    sentence = vocabulary.left_behind(page, carried)
    assert sentence is None if said is None else said in sentence


# Links under figures ------------------------------------------------------------------------------


def links(test):
    return {link.proto.label: link.proto for link in test.get("page_link")}


def test_figures_offer_the_next_page_in_the_same_state(main):
    test = main(checkpoint="digits", sample="3", layer="stem.position.neuron", **PATCH)
    queries = {said: vocabulary.read(dict(part.split("=") for part in link.query_string.split("&")))
             for said, link in links(test).items() if link.query_string}  # fmt: skip
    subject = {"checkpoint": "digits", "sample": "3"}
    assert queries["This layer in Neurons"] == subject | {"layer": "stem.position.neuron"}
    assert queries["This step in Memory"] == subject | {
        "layer": "stem.position.neuron",
        "changed": "2",
    }
    assert queries["This sample in Compare"].items() >= (subject | PATCH).items()
    assert "sample" not in queries["This head in Ablate"]


@pytest.mark.parametrize(
    "switch, page, state",
    [
        ("head=1.2", "watch", {"block": "1", "head": "2"}),
        ("block=0", "watch", {"block": "0"}),
        ("denoiser-of=1.0", "watch", {"block": "1", "head": "0"}),
        ("learned-tau-of=stem.position.neuron", "neurons", {"layer": "stem.position.neuron"}),
    ],
)
def test_a_part_that_was_taken_away_leads_to_where_it_is_seen(switch, page, state):
    way = each_part.way(each_part.part(switch), switch)
    assert (way.page, way.state) == (page, state) and way.said[0].isupper()
    for name in way.state:
        vocabulary.check(name, page)


def test_the_head_that_looks_at_corrupted_patches_leads_to_itself():
    watch, ablate = maps.ways(Looker(1, 2, 6, None, None, 3, 4, 1.0))
    assert watch.said == "Block 2 head 3 in Watch" and watch.state == {
        "block": 1,
        "head": 2,
        "step": 6,
    }
    assert (
        vocabulary.written({n: str(v) for n, v in ablate.state.items()})["switches"] == "head=2.3"
    )


MAIN = ("watch", "train", "ablate")


@pytest.mark.parametrize(
    "view",
    ["train", "ablate", *(dashboard.slow(page) for page in vocabulary.VIEWS if page not in MAIN)],
)
def test_every_page_leads_on(main, view):
    test = go(main(checkpoint="digits", sample="3"), view)
    assert not test.exception
    assert view == "train" or len(links(test)) >= 2  # the run of these tests has no checkpoint


def test_a_way_to_a_page_that_does_not_know_the_name_is_a_mistake_of_ours():
    with pytest.raises(vocabulary.UnknownName):
        next_page.query(Way("energy", "There", {"changed": 3}))


def test_a_page_that_is_left_before_its_run_has_ended_is_found_as_it_was():
    """The change is in the URL when the run begins; the run need not end for it to be kept."""

    def interrupted():
        import streamlit as st

        from app.link import following

        following.resume(st.session_state.get("next", "denoise"))

    test = AppTest.from_function(interrupted)
    test.query_params["u"] = "0"
    test.run()
    test.query_params.clear()
    test.session_state["next"] = "energy"
    test.run()
    test.query_params.clear()
    test.session_state["next"] = "denoise"
    test.run()
    assert not test.exception and state(test)["u"] == "0"
