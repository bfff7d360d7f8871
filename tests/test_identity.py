"""Nothing is shown of a network other than the one that is there: keys, and what is shipped, by digest."""

import shutil

import dashboard
import numpy as np
import pytest
import torch

import dista
import dista.data
from app.computed import models, recordings, reruns
from app.computed.reruns import Side
from app.inputs import checkpoints, identity, recording_files, tasks
from dista import checkpoint
from dista.files import weights
from dista.recording import save

SHIPPED = checkpoint.assets() / "first-light.zarr.zip"
MAP = "blocks/0/attention/denoise"


@pytest.fixture
def own_assets(tiny_assets, tmp_path, monkeypatch):
    """Checkpoints to write over, and the recording of one of them."""
    folder = shutil.copytree(tiny_assets, tmp_path / "assets")
    monkeypatch.setenv("DISTA_ASSETS", str(folder))
    return folder


def replace(folder, name, seed=3):
    """Another network of the same name and shape in the place of ``name``."""
    path = folder / name
    model = dista.load(path)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for norm in (one for one in model.modules() if isinstance(one, torch.nn.BatchNorm2d)):
            norm.bias += torch.randn(norm.bias.shape, generator=generator)
    return model, dista.save(model, path)


def maps(recording):
    return recording[MAP].values


# What is shipped --------------------------------------------------------------------------------


def test_the_shipped_recording_is_of_the_shipped_weights():
    """Else: dista record match-map assets/first-light.zarr.zip --sample 1, with --name for each of ``SNAPSHOT``."""
    recording = dista.open_recording(SHIPPED)
    name, (sample,) = recording.attrs["model"], recording["batch"].values.tolist()
    assert recording.attrs["weights"] == checkpoint.digest(name)
    assert recording.attrs["model_config"] == checkpoint.read_config(name).to_json()
    model, task = dista.load(name), dista.data.open(recording.attrs["task"])
    assert recording.attrs["weights"] == weights.digest(model)
    x, y = task.test.batch([sample])
    facts = {"labels": y.tolist(), "classes": task.classes, "samples": [sample]}
    fresh = dista.record(model, x, dashboard.SNAPSHOT, **facts)
    assert {node.path for node in fresh.subtree} == {node.path for node in recording.subtree}
    for node in fresh.subtree:
        for variable, array in node.data_vars.items():
            shipped = recording[node.path][variable]
            assert shipped.dims == array.dims and shipped.shape == array.shape
            # all but the sums that another machine adds up in another order, and what they tip over
            close = np.isclose(shipped.values, array.values, rtol=1e-4, atol=1e-4)
            assert close.mean() > 0.999, f"{node.path}/{variable}"
    assert np.array_equal(recording["input"].values, fresh["input"].values)


def test_the_page_opens_with_the_shipped_recording_itself(monkeypatch):
    monkeypatch.delenv("DISTA_ASSETS", raising=False)
    one = checkpoints.shipped()["match-map"]
    assert recording_files.of_same_weights(recording_files.first_light(), one)
    sample = int(recording_files.first_light()["batch"].values[0])
    assert recordings.recording(one, sample, None) is recording_files.first_light()


def test_another_network_in_its_place_is_not_shown_under_the_old_picture(own_assets):
    first = recording_files.first_light()
    assert recording_files.of_same_weights(first, checkpoints.shipped()["match-map"])
    model, _ = replace(own_assets, "match-map")
    one = checkpoints.shipped()["match-map"]
    assert not recording_files.of_same_weights(first, one)
    shown = recordings.recording(one, dashboard.SAMPLE, None)
    x, _ = dista.data.open("match").test.batch([dashboard.SAMPLE])
    assert np.array_equal(maps(shown), maps(dista.record(model, x)))
    assert not np.array_equal(maps(shown), maps(first))


def test_the_same_weights_used_otherwise_are_another_network(own_assets):
    path = own_assets / "match-map" / "config.json"
    config = checkpoint.read_config(own_assets / "match-map")
    changed = config.replace(denoiser=config.denoiser.replace(u=3.0))
    path.write_text(changed.to_json())
    assert not recording_files.of_same_weights(
        recording_files.first_light(), checkpoints.shipped()["match-map"]
    )


def test_a_recording_that_does_not_say_of_which_weights_it_is_is_not_shown(own_assets):
    first = recording_files.first_light().copy()
    del first.attrs["weights"]
    save(first, own_assets / "first-light.zarr.zip")
    assert not recording_files.of_same_weights(
        recording_files.first_light(), checkpoints.shipped()["match-map"]
    )


# What is kept -----------------------------------------------------------------------------------


def test_new_weights_are_another_key_and_the_old_ones_again_the_old_key(own_assets):
    keys, path = [], own_assets / "digits" / "model.safetensors"
    keys.append(checkpoints.shipped()["digits"].weights)
    before = path.read_bytes()
    replace(own_assets, "digits")
    keys.append(checkpoints.shipped()["digits"].weights)
    path.write_bytes(before)
    keys.append(checkpoints.shipped()["digits"].weights)
    assert keys[0] == keys[2] != keys[1]
    assert [key.path for key in keys] == [str(own_assets / "digits")] * 3


def test_one_run_of_a_page_sees_one_version(own_assets):
    one = checkpoints.shipped()["digits"]
    before, loaded = one.weights, models.model(one.weights)
    replace(own_assets, "digits")
    assert one.weights == before and models.model(one.weights) is loaded
    assert checkpoints.shipped()["digits"].weights != before


def test_a_title_and_what_is_shown_below_it_are_of_the_same_weights(own_assets):
    """Also where they are replaced between the listing and the first look at the weights."""
    one, before = checkpoints.shipped()["digits"], checkpoints.shipped()["digits"].weights
    model, _ = replace(own_assets, "digits")
    assert one.weights == before
    now = checkpoints.shipped()["digits"].weights.version
    assert now.startswith(weights.digest(model)[:32]) and now != before.version


def test_weights_that_were_replaced_before_they_were_loaded_are_said(own_assets):
    key = checkpoints.shipped()["digits"].weights
    replace(own_assets, "digits")
    with pytest.raises(ValueError, match="have just been replaced; reload the page"):
        models.model(key)


@pytest.mark.parametrize("view", ["watch", "compare"])
def test_the_probe_shows_the_weights_that_are_there(own_assets, page, monkeypatch, view):
    monkeypatch.setattr(dashboard, "SAMPLE", 4)  # not that of the shipped recording
    choose = (
        {"left": "digits", "right": "digits"} if view == "compare" else {"checkpoint": "digits"}
    )
    seen = []
    for step in ("before", "after"):
        monkeypatch.setenv("DISTA_ASSETS", str(own_assets))
        if step == "after":
            replace(own_assets, "digits")
        test = page(view, sample="4", **choose)
        monkeypatch.setenv("DISTA_ASSETS", str(own_assets))
        assert not test.exception and not test.error
        seen.append(recordings.recording(checkpoints.shipped()["digits"], 4, None))
    assert not np.array_equal(maps(seen[0]), maps(seen[1]))


def test_a_donors_new_weights_are_put_in(own_assets):
    from app.computed import experiments

    one = checkpoints.shipped()["digits"].weights
    surgery = experiments.Surgery("match-map", "stem.stages.0.neuron")
    before = experiments.operated(one, 2, None, surgery)
    model = dista.load(own_assets / "match-map")
    with torch.no_grad():
        model.stem.stages[0].neuron.tau.w.fill_(-2.0)
    dista.save(model, own_assets / "match-map")
    after = experiments.operated(one, 2, None, surgery)
    name = "stem/stages/0/neuron/tau"
    assert after[name].values != before[name].values
    assert after[name].values == pytest.approx(1 + np.exp(2.0))


def test_sides_of_compare_are_of_the_weights_that_are_there(own_assets):
    before = reruns.side(Side(checkpoints.shipped()["digits"], 4, 0.3))
    model, _ = replace(own_assets, "digits")
    after = reruns.side(Side(checkpoints.shipped()["digits"], 4, 0.3))
    assert after.attrs["weights"] == weights.digest(model) != before.attrs["weights"]


def test_a_file_written_again_in_the_same_moment_has_another_stamp(tmp_path):
    import os

    path = tmp_path / "one"
    path.write_bytes(b"ab")
    before, fact = identity.stamp(path), path.stat()
    other = tmp_path / "other"
    other.write_bytes(b"cd")
    os.utime(other, ns=(fact.st_atime_ns, fact.st_mtime_ns))
    other.replace(path)
    assert identity.stamp(path) != before


def test_the_tasks_without_a_choice_of_steps_are_known_without_torch():
    import dista.data

    fixed = [
        name for name in dista.data.names() if not dista.data.chosen_options(name, 10**6, ("a",))
    ]
    assert tuple(fixed) == tuple(name for name in dista.data.names() if name in tasks.STILL)
    assert set(tasks.STILL) <= set(fixed)
