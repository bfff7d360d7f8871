"""Names and hooks of models that are compiled, shared by threads, or on another device."""

import copy
import threading

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import dista
from dista.engine import kernels, modules
from dista.experiments import evaluation, interventions, operations

TAU = "stem.stages.0.neuron.tau"


def compiled(model):
    return torch.compile(model, backend="eager")


def split_of(x):
    class Few:
        labels = torch.zeros(x.shape[-4], dtype=torch.long).numpy()
        unit = 0

        def __len__(self):
            return len(self.labels)

        def batch(self, indices):
            places = list(indices)
            return x[places], torch.from_numpy(self.labels[places])

    return Few()


# Compiled ---------------------------------------------------------------------------------------


def test_a_compiled_model_has_the_names_of_the_one_it_was_made_from(small_model):
    model = small_model()
    wrapped = compiled(model)
    assert list(modules.named(wrapped)) == list(modules.named(model))
    assert modules.named(wrapped)[""] is model and modules.original(wrapped) is model
    assert list(dista.observables(wrapped)) == list(dista.observables(model))


def test_the_modules_inside_are_those_of_torch_in_their_order(small_model):
    shared = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(2, 2))
    for model in (small_model(), torch.nn.Sequential(shared, torch.nn.Tanh(), shared)):
        model.register_module("nothing", None)
        assert modules.inside(model) == list(model.modules())


def test_so_has_one_of_which_a_part_is_compiled(small_model):
    model = small_model()
    names = list(modules.named(model))
    model.blocks[0] = compiled(model.blocks[0])
    assert list(modules.named(model)) == names
    assert "blocks.0.attention.scores" in dista.observables(model)


def test_a_compiled_model_is_recorded_like_the_one_it_was_made_from(small_model, small_input):
    model = small_model()
    x = small_input(model.config)
    expected, recording = dista.record(model, x), dista.record(compiled(model), x)
    assert recording.identical(expected)
    assert recording.attrs["model"] == "DISTA"


@pytest.mark.slow  # loads torch's compiler
@pytest.mark.parametrize("part", [False, True], ids=["whole", "in place"])
def test_an_intervention_reaches_a_model_that_was_compiled_before(small_model, small_input, part):
    model = small_model()
    x = small_input(model.config)
    with torch.no_grad(), dista.intervene(model, {"*.tau": interventions.tau(7)}):
        expected = model(x)
    plain = model(x).detach()
    wrapped = compiled(model)
    if part:
        model.blocks[0].compile(backend="eager")
        wrapped = model
    with torch.no_grad():
        assert_close(wrapped(x), plain)
        with dista.intervene(wrapped, {"*.tau": interventions.tau(7)}):
            assert_close(wrapped(x), expected)
        assert_close(wrapped(x), plain)
    assert not torch.equal(plain, expected)


def test_operations_of_a_compiled_model_are_counted(small_model, small_input):
    model = small_model()
    x = small_input(model.config)
    assert operations.count(compiled(model), x).identical(operations.count(model, x))


# Threads ----------------------------------------------------------------------------------------


def at_once(*functions):
    """Run each in a thread of its own, all begun before any goes on; what they return."""
    gate, results = threading.Barrier(len(functions), timeout=30), {}

    def run(place, function):
        gate.wait()
        results[place] = function(gate)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[place] for place in range(len(functions))]


def test_threads_with_one_model_do_not_see_each_others_interventions(small_model, small_input):
    model = small_model()
    x = small_input(model.config)
    changes = [{"*.tau": interventions.tau(9)}, {"*.denoise": interventions.zero()}, {}]

    def alone(change):
        with torch.no_grad(), dista.intervene(model, change):
            return model(x)

    def together(change):
        def run(gate):
            with torch.no_grad(), dista.intervene(model, change):
                gate.wait()  # all are inside of their blocks
                answers = [model(x) for _ in range(5)]
                gate.wait()
            return answers

        return run

    expected = [alone(change) for change in changes]
    assert not any(torch.equal(a, b) for a, b in zip(expected, expected[1:] + expected[:1]))
    for answers, one in zip(at_once(*map(together, changes)), expected):
        assert all(torch.equal(answer, one) for answer in answers)


def test_threads_record_one_model_each_with_its_own_intervention(small_model, small_input):
    model = small_model().train()
    x = small_input(model.config)

    def recorded(change):
        def run(_):
            with dista.intervene(model, change):
                return [dista.record(model, x, ["head", "*.tau"]) for _ in range(5)]

        return run

    changes = [{"*.tau": interventions.tau(steps)} for steps in (3, 9)] + [{}]
    for recordings, change in zip(at_once(*map(recorded, changes)), changes):
        with dista.intervene(model, change):
            alone = dista.record(model, x, ["head", "*.tau"])
        assert all(one.identical(alone) for one in recordings)
    assert all(module.training for module in model.modules())


def test_a_thread_that_listens_does_not_slow_another(small_model):
    scores = small_model().blocks[0].attention.scores
    inside, seen = threading.Event(), threading.Event()

    def listen():
        with dista.recording.hooks(scores, {"": lambda *_: None}):
            inside.set()
            seen.wait(30)

    thread = threading.Thread(target=listen)
    thread.start()
    inside.wait(30)
    try:
        assert scores._forward_hooks and not kernels.watched([scores])
    finally:
        seen.set()
        thread.join()


def test_a_copy_made_inside_the_block_is_changed_as_well(small_model, small_input):
    model = small_model()
    x = small_input(model.config)
    with torch.no_grad(), dista.intervene(model, {"*.tau": interventions.tau(9)}):
        assert torch.equal(copy.deepcopy(model)(x), model(x))


# Hooks that want a module to be called ------------------------------------------------------------

REGISTER = (
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
)


@pytest.mark.parametrize("register", REGISTER)
def test_a_hook_of_any_kind_is_seen(register):
    module = nn.Identity()
    assert not kernels.watched([module])
    handle = getattr(module, register)(lambda *_: None)
    assert kernels.watched([module])
    handle.remove()
    assert not kernels.watched([module])


@pytest.mark.parametrize("register", ["register_module_full_backward_hook",
                                      "register_module_full_backward_pre_hook"])  # fmt: skip
def test_a_backward_hook_on_all_modules_is_seen(register):
    handle = getattr(nn.modules.module, register)(lambda *_: None)
    try:
        assert kernels.watched([nn.Identity()])
    finally:
        handle.remove()


@pytest.mark.parametrize("name", ["blocks.0.attention.scores", "blocks.0.attention.denoise",
                                  "stem.position.neuron.membrane", "stem.position.norm"])  # fmt: skip
def test_a_backward_hook_hears_of_modules_that_a_shortcut_would_leave_out(
    small_model, small_input, name
):
    model, heard = small_model(denoiser={"kind": "none"}).train(), []
    modules.named(model)[name].register_full_backward_hook(
        lambda module, inputs, outputs: heard.append(outputs[0].shape)
    )
    model(small_input(model.config)).sum().backward()
    assert len(heard) == 1


def test_a_forward_put_over_a_modules_own_is_called(small_model, small_input):
    model = small_model()
    denoise = model.blocks[1].attention.denoise
    denoise.forward = lambda a: torch.zeros_like(a)
    with torch.no_grad(), dista.intervene(model, {}):
        logits = model(small_input(model.config))
    del denoise.forward
    with torch.no_grad(), dista.intervene(model, {"blocks.1.*.denoise": interventions.zero()}):
        assert_close(logits, model(small_input(model.config)))


# Devices ----------------------------------------------------------------------------------------


class Elsewhere(torch.Tensor):
    """Stands for a tensor on a GPU: numpy cannot have it before ``cpu`` was called."""

    def cpu(self):
        return self.as_subclass(torch.Tensor)

    def numpy(self):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


class OnDevice(nn.Module):
    """A model that takes its input, and gives its answers, on another device only."""

    def __init__(self):
        super().__init__()
        self.weight, self.seen = nn.Parameter(torch.zeros(1, device="meta")), []

    def forward(self, x):
        self.seen.append(x.device.type)
        return torch.eye(3)[[0, 2, 1, 0]].as_subclass(Elsewhere)


def test_a_model_on_another_device_answers(monkeypatch):
    model = OnDevice().eval()
    model.config = None
    answers = evaluation.answer(model, split_of(torch.rand(4, 1, 2, 2)), range(4))
    assert model.seen == ["meta"] and answers.answer.tolist() == [0, 2, 1, 0]


def test_a_recorded_input_goes_to_the_models_device():
    model = OnDevice().eval()
    dista.recording._run(model, torch.rand(4, 1, 2, 2), {}, None)
    assert model.seen == ["meta"]
