"""Who looks into a model or changes it, and what then still runs driven by spikes: the numbers are those of the modules."""

import contextlib

import numpy as np
import pytest
import torch
from test_events import by_equations, frames, made

import dista
from dista import ablations, hooks, interventions
from dista.engine import event_builder, event_network, events
from dista.engine.modules import LOOKS, SPIKES
from dista.experiments import forgetting

ATTENTION = "blocks.*.attention.*"


def denoise(block):
    return f"blocks.{block}.attention.denoise"


CHANGES = {
    "u": {denoise("*"): interventions.threshold(2)},
    "u of a head": {denoise(1): interventions.threshold(0, head=1)},
    "table": {denoise("*"): interventions.lookup([0.5, 0, 1, 4, 2])},
    "window": {ATTENTION: interventions.window(2)},
    "current step": {ATTENTION: interventions.window(1)},
    "head": {denoise(0): interventions.silence(head=1)},
    "a head's reading": {"blocks.0.attention.read": interventions.silence(head=0)},
    "u, then a head": {denoise("*"): [interventions.threshold(1), interventions.silence(head=0)]},
    "no map": {denoise("*"): interventions.zero()},
    "tau": {"*.tau": interventions.tau(1.5)},
    "tau_times": {"blocks.0.*.tau": interventions.tau_times(2)},
    "block": {"blocks.1.attention": interventions.zero(), "blocks.1.mlp": interventions.zero()},
    "spikes": {"blocks.0.mlp.hidden.neuron": interventions.zero()},
    "a lag": {"*.key.lags.1": interventions.zero()},
    "carry-over": {"*.membrane": forgetting.without_carry_over()},
    "noisy membranes": {"*.membrane": interventions.noise(0.1)},
    "noisy currents": {"*.norm": interventions.noise(0.1)},
    "noisy lags": {"*.lags.*": interventions.noise(0.1)},
    "noisy maps": {"*.scores": interventions.noise(0.1)},
}
PARAMETERS = [name for name in CHANGES if "noisy" not in name and name != "a lag"]
"""Those with which nothing has to be called."""

MODELS = ("map", "projection", "spatial", "linear", "attenuated")


def applies(change, model):
    with contextlib.suppress(dista.recording.RecordingError):
        return bool(interventions.changed(model, change))
    return False


def both(model, x, change, monkeypatch):
    """Features and logits, driven by spikes and by the modules."""
    with torch.no_grad(), interventions.intervene(model, change):
        sequence, steps = model._sequence(x)
        sequence = model.normalised(sequence)
        assert events.why_not(model, sequence) is None
        driven = events.features(model, sequence, steps)
        return driven, by_equations(model, x)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_model_fires_as_its_modules_do(name, change, monkeypatch):
    model, x = made(name), frames()
    if not applies(CHANGES[change], model):
        pytest.skip("the model has no such part")
    driven, expected = both(model, x, CHANGES[change], monkeypatch)
    assert torch.equal(driven, expected)


def test_every_change_changes_a_model(monkeypatch):
    for change in CHANGES.values():
        changed = []
        for name in ("map", "projection"):
            model, x = made(name), frames()
            if applies(change, model):
                plain = by_equations(model, x)
                changed.append(not torch.equal(plain, both(model, x, change, monkeypatch)[0]))
        assert any(changed), change


@pytest.mark.parametrize("switch", ["neuron-memory", "own-past"])
@pytest.mark.parametrize("one", [True, False])
def test_what_another_sample_left_is_put_in(switch, one, monkeypatch):
    for name in ("map", "projection"):
        model, x = made(name), frames()
        others = frames()[:, :1] if one else frames()
        with torch.no_grad():
            change = ablations.changes([switch], model, others)
        driven, expected = both(model, x, change, monkeypatch)
        assert torch.equal(driven, expected)
        assert not torch.equal(driven, by_equations(model, x))
    with (
        torch.no_grad(),
        interventions.intervene(model, change),
        pytest.raises(ValueError, match="of 5 steps, the input has 3 of 4"),
    ):
        model(x[:4])


@pytest.mark.parametrize("name, task", [("digits", "digits"), ("match-map", "match"), ("match-projection", "match")])  # fmt: skip
def test_shipped_models_answer_the_same_with_every_switch(name, task, monkeypatch):
    model, x = dista.load(name).eval(), dista.data.open(task).test.batch(range(3))[0]
    rotated = x.roll(1, dims=x.ndim - 4)
    for switch in (
        "u=3",
        "window=2",
        "tau=1.5",
        "head=0.1",
        "block=1",
        "carry-over",
        "neuron-memory",
    ):
        with torch.no_grad(), ablations.ablated(model, [switch], rotated):
            sequence, _ = model._sequence(x)
            assert events.why_not(model, model.normalised(sequence)) is None
            driven = model.steps(x)
            with monkeypatch.context() as patch:
                patch.setenv("DISTA_KERNEL", "reference")
                expected = model.steps(x)
        # a spike whose membrane lies within rounding of its threshold may differ, and moves a logit by little
        assert torch.equal(driven.mean(0).argmax(-1), expected.mean(0).argmax(-1)), switch
        assert (driven - expected).abs().max() < 0.05, switch


def network(model, change):
    with torch.no_grad(), interventions.intervene(model, change):
        return event_builder.Builder(events._listened(model)).network(model)


def called(network):
    layers = [*network.stages, network.position]
    layers += [part for block in network.blocks for part in block[:7]]
    kinds = event_network.Called, event_network.CalledAttention
    no_neurons = [part for part in layers if getattr(part, "neurons", None) is None]
    return [part for part in layers if isinstance(part, kinds)] + no_neurons


@pytest.mark.parametrize("name", PARAMETERS)
def test_no_module_is_called_for_what_is_a_parameter(name):
    for kind in ("map", "projection"):
        model = made(kind)
        if applies(CHANGES[name], model):
            assert not called(network(model, CHANGES[name]))


def test_what_is_listened_to_is_called_and_nothing_else():
    model = made("map")
    noise = interventions.noise(0.1)
    (part,) = {id(one): one for one in called(network(model, {denoise(1): noise}))}.values()
    assert (
        isinstance(part, event_network.CalledAttention) and part.module is model.blocks[1].attention
    )
    (part,) = {
        id(one): one for one in called(network(model, {"blocks.0.mlp.output.conv": noise}))
    }.values()
    assert part.module is model.blocks[0].mlp.output
    (layer,) = called(network(model, {"stem.position.neuron.membrane": noise}))
    assert layer.lif is model.stem.position.neuron


def test_a_smaller_window_reads_fewer_steps():
    attends = network(made("map"), {ATTENTION: interventions.window(2)}).blocks[0].attends
    assert (attends.window, attends.reach) == (3, 2)
    query = network(made("projection"), {ATTENTION: interventions.window(1)}).blocks[0].query
    assert query.reach == 1


def test_a_hook_on_spikes_has_to_promise_that_it_leaves_spikes():
    model, x = made("map"), frames()
    with torch.no_grad():
        for name in (
            "blocks.0",
            "blocks.0.mlp",
            "stem.position.neuron",
            "stem.position.neuron.spikes",
        ):
            with hooks.hooks(model, {name: lambda *_: None}):
                assert "has not promised" in events.why_not(model, x)
            with hooks.hooks(model, {name: hooks.promising(lambda *_: None, SPIKES)}):
                assert events.why_not(model, x) is None
        everything = {
            name: lambda *_: None
            for name in dict(model.named_modules())
            if name.endswith(("conv", "synapse"))
        }
        with hooks.hooks(model, everything):
            assert "every convolution" in events.why_not(model, x)


def test_another_threads_hooks_change_nothing_here():
    from concurrent.futures import ThreadPoolExecutor

    model, x = made("map"), frames()
    expected = by_equations(model, x)
    with ThreadPoolExecutor(1) as pool, contextlib.ExitStack() as stack:
        pool.submit(
            stack.enter_context,
            interventions.intervene(model, {"blocks.0.mlp": interventions.zero()}),
        ).result()
        with torch.no_grad():
            assert not events._listened(model)
            assert torch.equal(events.features(model, model.normalised(x), 5), expected)


# --- recording ------------------------------------------------------------------------------------


@pytest.fixture
def entered(monkeypatch):
    calls, features = [], events.features
    monkeypatch.setattr(events, "features", lambda *a: calls.append(1) or features(*a))
    return calls


NAMES = (
    "*.spikes",
    "*.membrane",
    "*.reset",
    "*.current",
    "*.scores",
    "*.denoise",
    "*.lags.*",
    "*.tau",
    "*",
)


@pytest.mark.parametrize("name", MODELS)
def test_a_recording_is_that_of_the_modules(name, entered, monkeypatch):
    model, x = made(name, torch.float32), frames(torch.float32)
    with monkeypatch.context() as patch:
        patch.setenv("DISTA_KERNEL", "reference")
        expected = dista.record(model, x)
    assert not entered
    for names in NAMES:
        recording = dista.record(model, x, names)
        assert entered
        entered.clear()
        seen = {
            f"{node.path}/{key}".strip("/"): array
            for node in recording.subtree
            for key, array in node.data_vars.items()
        }
        assert len(seen) > 1
        for path, array in seen.items():
            of = expected[path]
            assert array.dtype == of.dtype and array.dims == of.dims and array.attrs == of.attrs
            if of.dtype == np.float32:
                # a spike decided by rounding would show as a difference of about 1; there is none with this seed
                np.testing.assert_allclose(array, of, rtol=1e-5, atol=1e-5, err_msg=path)
            else:
                np.testing.assert_array_equal(array, of, err_msg=path)


@pytest.mark.parametrize("name", ["map", "projection"])
def test_membranes_in_float64(name):
    model, x = made(name), frames()
    layers = [n for n, m in model.named_modules() if n.endswith("membrane")]

    def membranes(*promises):
        seen = {}

        def looking(name):
            def look(module, inputs, h):
                assert bool(inputs) is not bool(promises), "the engine has no inputs at hand"
                seen[name] = h.clone()

            return hooks.promising(look, *promises)

        with hooks.hooks(model, {name: looking(name) for name in layers}):
            by_events_or_equations(model, x, bool(promises))
        return seen

    driven, expected = membranes(LOOKS), membranes()
    for layer in layers:
        assert torch.allclose(driven[layer], expected[layer], rtol=0, atol=1e-12), layer


def by_events_or_equations(model, x, driven):
    with torch.no_grad():
        if not driven:
            return by_equations(model, x)
        assert events.why_not(model, x) is None
        return events.features(model, model.normalised(x), 5)


def test_a_recording_sees_what_was_changed_before_it(entered, monkeypatch):
    model, x = made("map", torch.float32), frames(torch.float32)
    change = {
        "*.membrane": forgetting.without_carry_over(),
        "blocks.1.attention": interventions.zero(),
    }
    recordings = []
    for kernel in ("auto", "reference"):
        monkeypatch.setenv("DISTA_KERNEL", kernel)
        with interventions.intervene(model, change):
            recordings.append(dista.record(model, x, ["*.membrane", "*.spikes", "head"]))
    assert len(entered) == 1
    driven, expected = recordings
    for path in ("stem/position/neuron/membrane", "blocks/1/attention/output/neuron/membrane", "blocks/0/mlp/output/neuron/spikes", "head"):  # fmt: skip
        np.testing.assert_allclose(driven[path], expected[path], rtol=1e-5, atol=1e-5)
