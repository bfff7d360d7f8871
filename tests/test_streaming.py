"""A stream gives the same logits as the whole sequence, from a state that does not grow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

import dista
from dista import memories, streaming
from dista.config import DenoiserConfig, MemoryConfig, ModelConfig, NeuronConfig
from dista.denoisers import DENOISERS
from dista.engine import events
from dista.experiments.untrained import take_statistics
from dista.recording import hooks

STEPS, BATCH = 7, 3
SMALL = ModelConfig(
    input_shape=(2, 11, 13),
    classes=5,
    time_steps=STEPS,
    dim=12,
    depth=2,
    heads=3,
    attention_scale=0.5,
    denoiser=DenoiserConfig(kind="threshold", u=1.0),
)
FORMS = {
    "none": MemoryConfig(form="none"),
    "projection": MemoryConfig(form="projection", window=3),
    "projection beyond the sequence": MemoryConfig(form="projection", window=11),
    "attenuated": MemoryConfig(form="attenuated", window=4, decay=0.7),
    "map": MemoryConfig(form="map", window=5),
    "map of all steps": MemoryConfig(form="map", window=STEPS),
    **{
        name: MemoryConfig(form=name, window=3)
        for name, form in memories.FORMS.items()
        if name not in ("none", "projection", "attenuated", "map") and form.remembers
    },
}
NEURONS = {
    "hard reset": NeuronConfig(),
    "hard reset below zero": NeuronConfig(v_reset=-0.3),
    "soft reset, tau per channel": NeuronConfig(v_reset=None, tau_per="channel", tau=3.0),
}


def made(memory: MemoryConfig, neuron: NeuronConfig = NeuronConfig(), **changes) -> dista.DISTA:
    """A model whose norms have seen data, so that its neurons fire at many rates."""
    torch.manual_seed(11)
    model = dista.DISTA(SMALL.replace(memory=memory, neuron=neuron, **changes)).double()
    take_statistics(model, frames())
    return model.eval()


def frames() -> torch.Tensor:
    return torch.rand(STEPS, BATCH, *SMALL.input_shape, dtype=torch.float64)


def streamed(model: dista.DISTA, x: torch.Tensor) -> torch.Tensor:
    state, logits = model.start(), []
    for frame in x:
        now, state = model.step(frame, state)
        logits.append(now)
    return torch.stack(logits)


@pytest.mark.parametrize("memory", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("neuron", NEURONS.values(), ids=NEURONS)
def test_a_stream_is_the_whole_sequence(memory, neuron):
    model, x = made(memory, neuron), frames()
    with torch.no_grad():
        whole = model.steps(x)
    assert whole.std(0).min() > 1e-4  # the steps differ: a stream without memory would be found out
    torch.testing.assert_close(streamed(model, x), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("memory", FORMS.values(), ids=FORMS)
def test_the_engine_and_the_modules_go_on_from_each_others_states(memory, monkeypatch):
    """Step by step another of them, and what a step leaves is the same whoever took it."""
    model, x, taken = made(memory, NEURONS["hard reset below zero"]), frames(), []
    features = events.features
    monkeypatch.setattr(events, "features", lambda *of: taken.append(1) or features(*of))
    with torch.no_grad():
        whole = model.steps(x)
    taken.clear()
    states = {"auto": model.start(), "reference": model.start()}
    for t, frame in enumerate(x):
        for kernel in states:
            with monkeypatch.context() as switched:
                switched.setenv("DISTA_KERNEL", kernel)
                logits, states[kernel] = model.step(frame, states[kernel])
            torch.testing.assert_close(logits, whole[t], rtol=0, atol=1e-12)
        one, other = (state.past for state in states.values())
        assert one.keys() == other.keys()
        for name in one:
            for a, b in zip(one[name], other[name], strict=True):
                torch.testing.assert_close(a.double(), b.double(), rtol=0, atol=1e-12)
        states = dict(zip(states, list(states.values())[::-1]))
    assert len(taken) == STEPS


def test_whoever_listens_to_a_stream_sees_a_stream():
    """Spikes and membranes of each step, and a map that knows its steps: those of the sequence."""
    model, x = made(FORMS["map"]), frames()
    places = [
        "stem.position.neuron",
        "blocks.1.mlp.hidden.neuron.membrane",
        "blocks.0.attention.scores",
    ]
    seen: dict[str, list[torch.Tensor]] = {name: [] for name in places}

    def noted(name):
        return lambda module, inputs, output: seen[name].append(output.detach().clone())

    with torch.no_grad(), hooks(model, {name: noted(name) for name in places}):
        model.steps(x)
        whole = {name: parts.pop() for name, parts in seen.items()}
        streamed(model, x)
    for name, parts in seen.items():
        assert len(parts) == STEPS
        torch.testing.assert_close(torch.cat(parts), whole[name], rtol=0, atol=1e-12)


def test_every_denoiser_streams():
    table = (0.0, 0.1, 0.9, 2.0, 7.5)
    for kind, declared in DENOISERS.items():
        options = {"table": table} if declared.table else {"u": 2.0}
        model = made(FORMS["map"], denoiser=DenoiserConfig(kind=kind, **options))
        x = frames()
        with torch.no_grad():
            torch.testing.assert_close(streamed(model, x), model.steps(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("memory", FORMS.values(), ids=FORMS)
def test_the_state_stops_growing_with_the_window(memory):
    model, state, sizes = made(memory), None, []
    for frame in frames().repeat(3, 1, 1, 1, 1):
        _, state = model.step(frame, state or model.start())
        sizes.append(state.nbytes)
    assert state.steps == 3 * STEPS
    filled = max(1, memory.window - 1)
    assert sizes[filled - 1 :] == sizes[filled - 1 : filled] * (len(sizes) - filled + 1)
    assert sizes[:filled] == sorted(set(sizes[:filled]))


def test_one_moment_continues_in_several_ways():
    model, x = made(FORMS["map"]), frames()
    _, state = model.step(x[0], model.start())
    first, _ = model.step(x[1], state)
    other, _ = model.step(x[2], state)
    again, _ = model.step(x[1], state)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_interventions_on_taus_and_denoisers_apply():
    model, x = made(FORMS["map"]), frames()
    for change in (
        {"*.tau": dista.interventions.tau(5.0)},
        {"*.denoise": dista.interventions.threshold(3)},
    ):
        with torch.no_grad(), dista.intervene(model, change):
            changed = model.steps(x)
            torch.testing.assert_close(streamed(model, x), changed, rtol=0, atol=1e-12)
        assert not torch.equal(changed, streamed(model, x))


@pytest.mark.parametrize("memory", FORMS.values(), ids=FORMS)
def test_what_needs_the_past_can_be_changed_and_seen_as_in_a_sequence(memory):
    """It is the same forward: a cut window, a silent head and a membrane apply, and maps have their steps."""
    model, x = made(memory), frames()
    for change in (
        {"blocks.*.attention.*": dista.interventions.window(2)},
        {"blocks.0.attention.read": dista.interventions.silence(head=1)},
        {"stem.position.neuron.membrane": lambda module, inputs, h: h + 0.1},
    ):
        if memory.form == "none" and "blocks.*.attention.*" in change:
            continue
        with torch.no_grad(), dista.intervene(model, change):
            torch.testing.assert_close(streamed(model, x), model.steps(x), rtol=0, atol=1e-12)


def test_a_map_of_a_stream_knows_its_steps():
    model, x, steps = made(FORMS["map"]), frames(), []

    def note(module, inputs, output):
        labels = module.observables[""].coords(module, output)
        steps.append([labels[name][1] for name in ("query_time", "key_time")])

    with hooks(model, {"blocks.0.attention.scores": note}):
        streamed(model, x)
    assert steps[0] == [[0], [0]] and steps[2] == [[2] * 3, [0, 1, 2]]
    assert steps[6] == [[6] * 5, [2, 3, 4, 5, 6]]  # five steps are reached


def test_streams_in_threads_do_not_meet():
    model, inputs = made(FORMS["map"]), [frames() for _ in range(4)]
    alone = [streamed(model, x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        assert all(map(torch.equal, pool.map(lambda x: streamed(model, x), inputs), alone))


def test_a_stream_leaves_nothing_behind():
    model, x = made(FORMS["map"]), frames()
    with torch.no_grad():
        before = model.steps(x)
        _, state = model.step(x[0], model.start())
        with pytest.raises(ValueError, match="expected floats"):
            model.step(x[1].long(), state)
        assert not streaming.running() and torch.equal(model.steps(x), before)


def test_wrong_inputs_are_refused():
    model = made(FORMS["none"])
    _, state = model.step(frames()[0], model.start())
    with pytest.raises(ValueError, match=r"\(2, 2, 11, 13\); expected \(3, 2, 11, 13\)"):
        model.step(frames()[0, :2], state)
    with pytest.raises(ValueError, match="one frame for each sample"):
        model.step(frames(), model.start())
    with pytest.raises(ValueError, match="training mode"):
        model.train().step(frames()[0], model.start())
