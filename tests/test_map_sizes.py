"""Maps that are larger than a page can hold are left out, with a sentence; the rest is recorded."""

import pytest
import torch

import dista
import dista.data
from app.computed import map_sizes, recordings


@pytest.mark.parametrize("form", ["map", "projection"])
@pytest.mark.parametrize("steps", [None, 5])
def test_bytes_of_a_map_are_those_of_the_recorded_one(small_model, small_input, form, steps):
    model = small_model(memory=dict(form=form, window=3))
    x = small_input(model.config, steps=steps)
    recording = dista.record(model, x, "*.scores")
    for block in range(2):
        scores = recording[f"blocks/{block}/attention/scores"]
        assert scores.nbytes == map_sizes.map_bytes(model.config, x)


def test_all_of_a_network_of_usual_size_fits(small_model, small_input):
    model = small_model()
    names, said = map_sizes.fitting(model, small_input(model.config), "*")
    assert names == list(dista.observables(model)) and not said


@pytest.mark.parametrize(
    "blocks, extent", [(1, "those of the first 1 of 2 blocks"), (0, "none of them")]
)
def test_blocks_that_do_not_fit_are_left_out_and_said(
    small_model, small_input, monkeypatch, blocks, extent
):
    model = small_model()
    x = small_input(model.config)
    monkeypatch.setattr(map_sizes, "MOST", (2 * blocks + 1) * map_sizes.map_bytes(model.config, x))
    names, said = map_sizes.fitting(model, x, "*")
    gone = set(dista.observables(model)) - set(names)
    assert gone == {
        f"blocks.{b}.attention.{kind}" for b in range(blocks, 2) for kind in map_sizes.MAPS
    }
    assert said.startswith("The attention maps of this network would take") and extent in said
    with pytest.raises(ValueError, match="and this needs all of them"):
        map_sizes.fitting(model, x, ("*.scores", "*.denoise"))
    assert map_sizes.fitting(model, x, ("*.spikes", "head"))[1] == ""


def test_784_patches_and_16_steps_are_gigabytes_and_are_not_recorded():
    config = dista.preset("tiny").replace(
        input_shape=(1, 56, 56), classes=2, time_steps=16, dim=16, heads=8, depth=2, stem_pools=(True,),
        memory=dict(form="map", window=16), mean=(0.0,), std=(1.0,),
    )  # fmt: skip
    model = dista.DISTA(config)
    names, said = map_sizes.fitting(model, torch.empty(1, 1, 56, 56), "*")
    assert "would take 2.5 GB here; up to 128 MB are recorded: none of them" in said
    assert not [name for name in names if name.endswith(map_sizes.MAPS)]


@pytest.mark.parametrize("view", ["watch", "compare"])
def test_the_page_says_what_it_would_take_and_shows_the_rest(page, monkeypatch, view):
    monkeypatch.setattr(map_sizes, "MOST", 1000)
    recordings.record_input.clear()
    query = {"left": "digits"} if view == "compare" else {"checkpoint": "digits"}
    test = page(view, **query, sample="7", noise="0")
    recordings.record_input.clear()
    assert not test.exception and not test.error
    said = [one.value for one in test.caption if "attention maps of this network" in one.value]
    assert len(said) == (2 if view == "compare" else 1) and "none of them" in said[0]
