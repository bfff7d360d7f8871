"""Every field of TrainingConfig changes what it names, and nothing that it does not."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest
import torch
import trainings
from commands import dista
from torch.nn.functional import cross_entropy

from dista.checkpoint import load
from dista.config import ConfigError, TrainingConfig
from dista.data.task import Batches
from dista.model import DISTA
from dista.presets import preset
from dista.recipes import recipe, recipes
from dista.runs import Run
from dista.training import feed, mixing, optimiser, train
from dista.training.learner import Learner, tet

TINY, ONE = trainings.TINY, trainings.ONE
QUICK = ONE.replace(batch_size=60)  # one step


@pytest.fixture(scope="module")
def digits():
    return trainings.few_digits()


@pytest.fixture(scope="module")
def events():
    return trainings.few("digits-events")


@pytest.fixture(scope="module")
def weights_after(digits, tmp_path_factory):
    """The weights after a training of one step with some options; each set is trained once."""
    states: dict[str, dict[str, torch.Tensor]] = {}

    def after(**options):
        training = QUICK.replace(**options)
        key = training.to_json()
        if key not in states:
            folder = tmp_path_factory.mktemp("option") / "run"
            with (
                pytest.MonkeyPatch.context() as patch
            ):  # what is of no interest here takes half of the time
                patch.setattr(Run, "save_snapshot", lambda *a: None)
                states[key] = train(digits, TINY, training, folder=folder).load("last").state_dict()
        return states[key]

    return after


def same(one, other, names=lambda name: True):
    return all(torch.equal(one[n], other[n]) for n in one if names(n))


# --- every option has an effect -----------------------------------------------------------------

# Options that change the weights after one step, or after as many as the second dictionary says.
EFFECTS = [
    ({"lr": 1e-3}, {}),
    ({"tau_lr": 0.2}, {}),
    ({"weight_decay": 0.5}, {}),
    ({"warmup": 0.9}, {"batch_size": 20}),
    ({"clip": 0.01}, {}),
    ({"batch_size": 20}, {}),
    ({"accumulate": 2}, {"batch_size": 30}),
    ({"epochs": 2}, {}),
    ({"epoch_steps": 1}, {"batch_size": 15}),
    ({"tau_min": 1.9, "tau_max": 1.95}, {}),
    ({"freeze": "synapses"}, {}),
    ({"freeze": "taus"}, {}),
    ({"loss": "tet"}, {}),
    ({"tet_lambda": 0.5}, {"loss": "tet"}),
    ({"label_smoothing": 0.3}, {}),
    ({"ema": 0.9}, {"batch_size": 20}),
    ({"augment": False}, {}),
    ({"policy": "rand"}, {}),
    ({"policy": "trivial"}, {}),
    ({"erasing": 1.0}, {}),
    ({"flip": 1.0}, {}),
    ({"roll": 3}, {}),
    ({"mixup": 0.5}, {}),
    ({"cutmix": 0.5}, {}),
    ({"seed": 3}, {}),
    ({"precision": "bf16-mixed"}, {}),
]


@pytest.mark.parametrize(("change", "base"), EFFECTS, ids=lambda d: "-".join(map(str, d)) or "")
def test_an_option_changes_the_weights(weights_after, change, base):
    assert not same(weights_after(**base), weights_after(**base | change))


ELSEWHERE = {
    "init": "below",
    "eventmix": "on events, below",
    "threads": "number of threads",
    "minutes": "below",
    "devices": "below, in processes",
    "num_nodes": "needs several machines",
    "probe": "test_training",
    "probes": "test_training",
    "snapshot_mb": "test_training",
    "activity": "test_training",
    "save_minutes": "test_resume",
}


def test_no_option_is_without_a_test():
    tested = {name for change, _ in EFFECTS for name in change}
    assert tested | set(ELSEWHERE) == set(TrainingConfig.model_fields)


# --- joint plasticity ---------------------------------------------------------------------------


def test_freezing_is_the_ablation(weights_after):
    """Synapses alone, taus alone: what is frozen stays, the rest moves."""
    torch.manual_seed(QUICK.seed)
    start = DISTA(TINY).state_dict()
    synapse = lambda n: n.endswith(("weight", "bias")) and not n.endswith("tau.w")  # noqa: E731
    taus = weights_after(freeze="synapses")
    assert same(start, taus, synapse) and not same(start, taus, optimiser.is_tau)
    synapses = weights_after(freeze="taus")
    assert same(start, synapses, optimiser.is_tau) and not same(start, synapses, synapse)


def test_freezing_everything_is_refused(digits, tmp_path):
    fixed = TINY.replace(neuron=TINY.neuron.replace(learn_tau=False))
    with pytest.raises(ValueError, match="leaves nothing to train"):
        train(digits, fixed, QUICK.replace(freeze="synapses"), folder=tmp_path / "no")
    assert not (tmp_path / "no").exists(), "no run for what cannot start"


def test_bounds_hold_after_every_step(digits, tmp_path):
    bounded = ONE.replace(batch_size=15, tau_lr=2.0, tau_min=1.5, tau_max=2.5)
    taus = train(digits, TINY, bounded, folder=tmp_path / "b").table("neurons")
    assert taus["tau_min"].min() >= 1.5 - 1e-5 and taus["tau_max"].max() <= 2.5 + 1e-5
    assert {1.5, 2.5} & set(taus[taus["epoch"] == 1]["tau"].round(4)), "none reached its bound"
    with pytest.raises(ConfigError, match=r"tau_min=3.0 must lie below tau_max=2.0"):
        TrainingConfig(tau_min=3, tau_max=2)


def test_taus_have_their_own_rate_and_no_decay():
    groups = optimiser.optimiser(DISTA(TINY), TrainingConfig(weight_decay=0.3)).param_groups
    assert [(g["peak"], g["weight_decay"]) for g in groups] == [(2e-3, 0.3), (8e-3, 0.0)]


# --- loss, average, accumulation ----------------------------------------------------------------


def test_tet_is_its_formula(small_input):
    logits, y = torch.randn(3, 5, 7), torch.tensor([0, 6, 2, 2, 1])
    each = sum(cross_entropy(logits[t], y) for t in range(3)) / 3
    expected = 0.8 * each + 0.2 * (logits - 1).square().mean()
    assert torch.allclose(tet(logits, y, 0.2), expected)


def test_tet_counts_the_steps_of_the_readout(small_model, small_input):
    model = small_model(readout_steps=2)
    x, y = small_input(model.config), torch.tensor([0, 16, 3, 5])
    training = TrainingConfig(loss="tet", tet_lambda=0.0)
    expected = sum(cross_entropy(step, y) for step in model.steps(x)[-2:]) / 2
    assert torch.allclose(Learner(model, training)(x, y), expected)


def test_the_average_is_its_formula():
    model = DISTA(TINY)
    average = optimiser.Average(model, 0.5)
    first = model.head.linear.weight.detach().clone()
    torch.nn.init.ones_(model.head.linear.weight)
    average.update(model, step=1)  # early: the decay is 2 / 11
    second = first * 2 / 11 + 9 / 11
    assert torch.allclose(average.model.head.linear.weight, second)
    average.update(model, step=1000)
    assert torch.allclose(average.model.head.linear.weight, second / 2 + 0.5)
    model.stem.position.norm.num_batches_tracked += 7  # a count is taken over, not averaged
    average.update(model, step=1001)
    assert average.model.stem.position.norm.num_batches_tracked == 7
    assert not average.model.training and not average.model.head.linear.weight.requires_grad
    assert average.model.state_dict().keys() == model.state_dict().keys()


def test_accumulation_is_the_mean_of_the_gradients(digits, tmp_path):
    """Two batches of 30 in one step: the gradient norm is that of the mean of the two gradients."""
    two = ONE.replace(accumulate=2, augment=False, freeze="none")
    run = train(digits, TINY, two, folder=tmp_path / "two")
    torch.manual_seed(two.seed)
    model = DISTA(TINY).train()
    for x, y in digits.train.batches(30, shuffle=True, seed=two.seed):
        (cross_entropy(model(x), y) / 2).backward()
    norm = sum(p.grad.double().square().sum() for p in model.parameters()) ** 0.5
    assert run.table("steps")["gradient"].tolist() == pytest.approx([float(norm)], rel=1e-5)


# --- mixing -------------------------------------------------------------------------------------


def batch(task, n=16):
    return next(iter(task.train.batches(n)))


@pytest.mark.parametrize("steps", [(), (3,)], ids=["images", "frames"])
@pytest.mark.parametrize("option", ["mixup", "cutmix"])
def test_targets_are_mixed_like_inputs(digits, option, steps):
    """The share of the own class is the share of the own pixels, for inputs that are their class."""
    y = torch.arange(10)
    x = y.float().view(-1, 1, 1, 1).expand(*steps, 10, 2, 28, 28).contiguous()
    mixed, shares = mixing.Mixing(ONE.replace(**{option: 1.0}), digits)(x, y, 0, 0, 4)
    assert torch.allclose(shares.sum(1), torch.ones(10)) and shares.max() < 1
    assert mixed.shape == x.shape
    assert torch.allclose(mixed.mean((-3, -2, -1)), shares @ y.float(), atol=1e-5)


def test_mixing_follows_from_its_numbers_and_leaves_the_global_generator_alone(digits):
    x, y = batch(digits)
    mix = mixing.Mixing(ONE.replace(mixup=0.5, erasing=0.5, policy="rand"), digits)
    state = torch.get_rng_state()
    first, again, other = mix(x, y, 0, 1, 2), mix(x, y, 0, 1, 2), mix(x, y, 0, 1, 3)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_several_kinds_take_turns(digits):
    x, y = torch.rand(8, 1, 28, 28), torch.arange(8)
    mix = mixing.Mixing(ONE.replace(mixup=1.0, cutmix=1.0), digits)
    cut = [bool((mix(x, y, n)[0] == x).any()) for n in range(12)]  # mixup leaves no pixel alone
    assert 0 < sum(cut) < 12


@pytest.mark.parametrize("shape", [(7, 2, 5, 11), (3, 7, 2, 5, 11)], ids=["images", "frames"])
def test_flips_and_rolls_move_whole_samples_all_steps_alike(shape):
    x = torch.rand(shape)
    samples = [x.select(x.ndim - 4, i) for i in range(7)]
    torch.manual_seed(3)
    kinds = set()
    for one, out in zip(samples, mixing.flip(x, 0.5).unbind(x.ndim - 4)):
        kinds.add("kept" if torch.equal(out, one) else "mirrored")
        assert torch.equal(out, one) or torch.equal(out, one.flip(-1))
    assert kinds == {"kept", "mirrored"}
    shifts = set()
    for one, out in zip(samples, mixing.roll(x, 2).unbind(x.ndim - 4)):
        shifts |= {
            (r, c)
            for r in range(-2, 3)
            for c in range(-2, 3)
            if torch.equal(one.roll((r, c), (-2, -1)), out)
        }
    assert len(shifts) > 3, "each sample has a shift of its own, at most 2 either way"


def test_erasing_removes_one_rectangle_of_as_many_as_it_says():
    torch.manual_seed(0)
    x = torch.ones(400, 2, 20, 30)
    gone = mixing.erase(x, 0.25) == 0
    assert torch.equal(gone[:, 0], gone[:, 1])
    hit = gone[:, 0].flatten(1).any(1)
    assert 60 < hit.sum() < 140
    for hole in gone[hit, 0]:
        rows, columns = hole.any(1).sum(), hole.any(0).sum()
        assert hole.sum() == rows * columns and hole.float().mean() < 0.4


@pytest.mark.parametrize("policy", ["rand", "trivial"])
def test_policies_keep_images_images(digits, policy):
    x = mixing.apply_policy(batch(digits)[0], policy)
    assert x.shape == (16, 1, 28, 28) and x.dtype == torch.float32
    assert x.min() >= 0 and x.max() <= 1


def test_eventmix_takes_every_event_from_one_of_two_and_labels_by_their_number(events):
    torch.manual_seed(1)
    x, _ = batch(events)
    shares = torch.eye(16)
    mixed, mixed_shares = mixing.eventmix(x, shares, 1.0)
    other = x.roll(1, 1)
    assert bool(((mixed == x) | (mixed == other)).all())
    own = torch.where((mixed == x) & (x != other), x, 0).sum((0, 2, 3, 4))
    theirs = torch.where((mixed == other) & (x != other), other, 0).sum((0, 2, 3, 4))
    assert (own > 0).any() and (theirs > 0).any()
    share = mixed_shares.diagonal()
    # Where both have the same count it is not known whose it is; that is a small part.
    assert torch.allclose(own / (own + theirs), share, atol=0.1)
    assert torch.allclose(mixed_shares.sum(1), torch.ones(16))


def test_eventmix_trains(events, tmp_path):
    config = TINY.replace(input_shape=(2, 34, 34), time_steps=8)
    plain, mixed = (
        train(events, config, QUICK.replace(eventmix=alpha), folder=tmp_path / f"e{alpha}")
        for alpha in (0.0, 1.0)
    )
    assert not trainings.same_weights(plain, mixed)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("digits", {"eventmix": 1.0}, "is for events"),
        ("digits", {"policy": "auto"}, "colour images"),
        ("digits-events", {"policy": "rand"}, "is for images"),
    ],
)
def test_what_the_data_cannot_take_is_refused(name, options, words):
    with pytest.raises(ValueError, match=words):
        mixing.Mixing(ONE.replace(**options), trainings.few(name))


# --- time, start, precision, processes ----------------------------------------------------------


def test_a_time_budget_ends_a_training_with_its_schedule(digits, tmp_path):
    timed = ONE.replace(epochs=10**5, minutes=1e-4)
    run = train(digits, TINY, timed, folder=tmp_path / "timed")
    status = run.status()
    assert status.state == "finished" and status.reason == "its time was up"
    assert (
        len(run.table("steps")) < 100 and run.snapshots()[-1] == run.table("epochs")["epoch"].max()
    )


def test_training_starts_from_another_checkpoint(digits, tmp_path):
    start = train(digits, TINY, QUICK.replace(seed=5), folder=tmp_path / "start")
    still = QUICK.replace(init=str(start.checkpoint("last")), lr=1e-12, tau_lr=1e-12)
    run = train(digits, TINY, still, folder=tmp_path / "run")
    a, b = (r.load("last").head.linear.weight for r in (start, run))
    assert torch.allclose(a, b, atol=1e-6)


def test_threads_are_set(digits, tmp_path):
    try:
        train(digits, TINY, QUICK.replace(threads=2), folder=tmp_path / "run")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_batches_made_ahead_are_the_same_and_errors_arrive():
    assert list(feed.ahead(iter(range(5)))) == [0, 1, 2, 3, 4]
    assert list(feed.ahead(iter(()))) == []
    with pytest.raises(ZeroDivisionError):
        list(feed.ahead(1 // n for n in (1, 0)))


def test_parts_of_a_pass_are_the_pass(digits):
    whole = digits.train.batches(7, shuffle=True, augment=True, seed=2, epoch=1)
    later = list(whole.part(start=5))
    assert len(whole) == 9 and len(later) == 4
    assert all(torch.equal(a[0], b[0]) for a, b in zip(list(whole)[5:], later))
    ranks = [list(dataclasses.replace(whole, augment=False).part(rank=r, world=2)) for r in (0, 1)]
    assert [len(y) for _, y in ranks[0]] == [len(y) for _, y in ranks[1]] == [7, 7, 7, 7, 2]
    seen = torch.cat([y for part in ranks for _, y in part])
    assert sorted(seen.tolist()) == sorted(digits.train.labels.tolist())
    assert isinstance(whole, Batches)


SYNC_NORM = """
import os, sys, torch, torch.distributed
from dista.config import NeuronConfig
from dista.layers import Norm
from dista.training.machine import synchronise

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
x = torch.randn(2, 6, 3, 2, 2) * torch.arange(1.0, 7.0).view(1, 6, 1, 1, 1)  # samples of unlike scales
norm, whole = Norm(NeuronConfig(), 3), Norm(NeuronConfig(), 3)
rank = 0 if os.fork() else 1
torch.distributed.init_process_group("gloo", init_method=f"file://{sys.argv[1]}", rank=rank, world_size=2)
synchronise(norm)
all_x, my_x = x.clone().requires_grad_(), x[:, 3 * rank : 3 * rank + 3].clone().requires_grad_()
expected, mine = whole(all_x), norm(my_x)
expected.pow(3).sum().backward()
mine.pow(3).sum().backward()
part = slice(3 * rank, 3 * rank + 3)
assert torch.allclose(mine, expected[:, part])
assert torch.allclose(my_x.grad, all_x.grad[:, part])
assert all(torch.allclose(a, b) for a, b in zip(norm.buffers(), whole.buffers()))
weights = norm.weight.grad.clone()
torch.distributed.all_reduce(weights)
assert torch.allclose(weights, whole.weight.grad)
if rank == 0:
    assert os.wait()[1] == 0, "the other process failed"
    print("the same")
"""


@pytest.mark.slow
def test_batch_normalisation_sees_the_samples_of_all_processes(tmp_path):
    """Output, gradients and statistics of two halves are those of the whole."""
    answer = trainings.python(SYNC_NORM, tmp_path / "meet")
    assert answer.stdout == "the same\n", answer.stderr


@pytest.mark.slow
def test_two_processes_are_one_with_the_doubled_batch(tmp_path):
    """The first steps, before rounding has flipped a spike here and there, loss by loss."""
    common = "--preset tiny --data digits --threads 1 --epochs 1 --no-augment --json"
    for name, options in (("two", "--devices 2 --batch-size 10"), ("one", "--batch-size 20")):
        command = [sys.executable, "-m", "dista", "train", *common.split(), *options.split()]
        answer = subprocess.run(
            [*command, "--out", str(tmp_path / name)], capture_output=True, text=True
        )
        assert answer.returncode == 0 and "dista:" not in answer.stderr, answer.stderr
        assert answer.stdout.count("{") == 1, "only the first process speaks"
    two, one = (Run(tmp_path / name).table("steps") for name in ("two", "one"))
    assert len(one) == len(two) == 180
    for column, tolerance in (("loss", 1e-5), ("gradient", 1e-4)):
        ours, theirs = two[column][:2].to_numpy(), one[column][:2].to_numpy()
        assert ours == pytest.approx(theirs, rel=tolerance), column
    assert two["loss"][:9].to_numpy() == pytest.approx(one["loss"][:9].to_numpy(), rel=5e-3)


# --- recipes ------------------------------------------------------------------------------------


def test_recipes():
    assert recipe("default") == TrainingConfig() and len(set(map(str, recipes().values()))) > 4
    assert (recipe("cifar").epochs, recipe("cifar").policy) == (300, "rand")
    with pytest.raises(KeyError, match="did you mean cifar"):
        recipe("cifr")
    assert load("digits-events").card  # a card of before says fewer options, and still opens


# --- from the command line ----------------------------------------------------------------------


def test_a_dry_run_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = "train --preset tiny --data digits --epochs 7 --dry-run --json"
    answer = dista(*command.split())
    said = json.loads(answer.stdout)
    assert said["steps"] == 7 * 113 and said["parameters"] > 5000
    assert said["minutes"] == pytest.approx(said["steps"] * said["step_seconds"] / 60)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
def test_any_option_and_the_logger(tmp_path):
    """--set reaches every field, and tensorboard's own reader finds what the tables say."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path / "run"
    command = "-m dista train --preset tiny --data digits --epochs 1 --batch-size 1200 --threads 1"
    more = f"--set ema=0.5 --set tau_max=4 --set loss=tet --logger tensorboard --out {folder}"
    more += f" --save {tmp_path / 'copy'} --half"
    more += " --set model.memory.window=2 --set model.time_steps=3 --precision bf16-mixed"
    answer = trainings.python_command(f"{command} {more}")
    assert answer.stderr == "", "quiet where there is no terminal"
    training, model = Run(folder).config.training, Run(folder).config.model
    assert (training.ema, training.tau_max, training.loss) == (0.5, 4.0, "tet")
    assert model == preset("tiny").changed({"memory.window": 2, "time_steps": 3})
    copy = load(tmp_path / "copy")
    whole = Run(folder).load("best").head.linear.weight
    assert torch.equal(copy.head.linear.weight, whole.half().float())
    assert copy.card["metrics"]["test"]["samples"] == 1000 and copy.card["name"] == "copy"
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    logged = [event.value for event in events.Scalars("loss")]
    assert logged == pytest.approx(Run(folder).table("steps")["loss"].tolist(), rel=1e-6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--set emma=0.5", "did you mean ema?"),
        ("--set ema", "expected NAME=VALUE"),
        ("--set model.dimm=3", "did you mean dim?"),
        ("--recipe cifr", "did you mean cifar"),
        ("--logger wandb", "expected tensorboard"),
        ("--resume nowhere", "leave the other options out"),
    ],
)
def test_what_the_command_line_refuses(words, said):
    answer = dista(*f"train --preset tiny --data digits {words}".split())
    assert answer.returncode == 1 and said in answer.stderr and answer.stderr.count("\n") == 1
