"""Memory forms and denoisers against slow, obvious loops; causality; what the window reaches."""

import itertools

import numpy as np
import pytest
import torch

from dista import attention
from dista.attention import Denoise, SpaceTimeAttention, causal_pairs
from dista.config import DenoiserConfig
from dista.denoisers import lookup, threshold

TIME, BATCH, HEAD, TOKEN, DIM = 5, 2, 3, 11, 7
FORMS = ("projection", "attenuated", "map")
WINDOWS = (1, 2, 3, 5, 8)


def spikes(*shape, rate=0.4):
    return (torch.rand(*shape, dtype=torch.float64) < rate).double()


# --- the same in loops --------------------------------------------------------------------------


def pairs_in_loops(steps, window):
    return [(t, m) for t in range(steps) for m in range(steps) if 0 <= t - m < window]


def scores_in_loops(q, k, window):
    maps = []
    for t, m in pairs_in_loops(len(q), window):
        a = np.zeros((BATCH, HEAD, TOKEN, TOKEN))
        for b, head, i, j in itertools.product(
            range(BATCH), range(HEAD), range(TOKEN), range(TOKEN)
        ):
            a[b, head, i, j] = sum(q[t, b, head, i, c] * k[m, b, head, j, c] for c in range(DIM))
        maps.append(a)
    return np.stack(maps)


def read_in_loops(a, v, window, scale):
    pairs = pairs_in_loops(len(v), window)
    o = np.zeros(v.shape)
    for t in range(len(v)):
        reachable = [pair for pair, (query, _) in enumerate(pairs) if query == t]
        for pair in reachable:
            m = pairs[pair][1]
            for b, head, i in itertools.product(range(BATCH), range(HEAD), range(TOKEN)):
                for j in range(TOKEN):
                    o[t, b, head, i] += (
                        scale / len(reachable) * a[pair, b, head, i, j] * v[m, b, head, j]
                    )
    return o


def lif_in_loops(x, tau, v_threshold):
    """Spikes of currents (time, ...) with the hard reset to 0."""
    v, out = np.zeros(x.shape[1:]), np.zeros(x.shape)
    for t in range(len(x)):
        h = v + (x[t] - v) / tau
        out[t] = h >= v_threshold
        v = np.where(h >= v_threshold, 0.0, h)
    return out


def norm_in_loops(norm, x):
    """Batch normalisation in evaluation mode of (time, batch, channel, row, column)."""
    y = np.zeros(x.shape)
    mean, var, gain, bias = (
        getattr(norm, name).detach().numpy()
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    for c in range(x.shape[2]):
        y[:, :, c] = (x[:, :, c] - mean[c]) / np.sqrt(var[c] + norm.eps) * gain[c] + bias[c]
    return y


def mix_channels(conv, x):
    """A 1x1 convolution of (batch, channel, row, column)."""
    weight = conv.weight.detach().numpy()[:, :, 0, 0]
    return np.stack([sum(w * x[:, i] for i, w in enumerate(row)) for row in weight], axis=1)


def projection_in_loops(project, x, memory):
    """LIF(BN(sum_l W_l X[t-l])) with W_l of its own, or decay^l W_0."""
    current = np.zeros(x.shape)
    for t, lag in itertools.product(range(len(x)), range(memory.window)):
        if memory.form == "map" and lag:
            continue
        if t - lag >= 0:
            synapse = project.lags[lag if memory.form == "projection" else 0].synapse
            strength = memory.decay**lag if memory.form == "attenuated" else 1
            current[t] += strength * mix_channels(synapse, x[t - lag])
    return lif_in_loops(norm_in_loops(project.norm, current), project.neuron.tau().item(), 1.0)


def attention_in_loops(layer, x, config):
    rows, columns = x.shape[-2:]
    window = config.memory.window if config.memory.form == "map" else 1

    def heads(s):  # channels 0..d-1 are head 0, patches in reading order
        split = s.reshape(*s.shape[:2], config.heads, config.head_dim, rows * columns)
        return np.moveaxis(split, -1, -2)

    q, k, v = (
        heads(projection_in_loops(p, x, config.memory))
        for p in (layer.query, layer.key, layer.value)
    )
    o = np.zeros(v.shape)
    for t in range(len(x)):
        steps = [m for m in range(len(x)) if 0 <= t - m < window]
        for m, b, head in itertools.product(steps, range(x.shape[1]), range(config.heads)):
            a = q[t, b, head] @ k[m, b, head].T
            a = np.where(a > config.denoiser.u, a, 0)
            o[t, b, head] += config.attention_scale / len(steps) * a @ v[m, b, head]
    merged = np.moveaxis(o, -1, -2).reshape(x.shape)
    s = lif_in_loops(merged, layer.neuron.tau().item(), config.attention_threshold)
    current = np.stack([mix_channels(layer.output.conv, step) for step in s])
    return lif_in_loops(
        norm_in_loops(layer.output.norm, current), layer.output.neuron.tau().item(), 1.0
    )


# --- scores and read ----------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
def test_pairs(window):
    query_time, key_time = causal_pairs(TIME, window)
    assert list(zip(query_time, key_time)) == pairs_in_loops(TIME, window)


@pytest.mark.parametrize("window", WINDOWS)
def test_scores_and_read_equal_the_loops(window):
    q, k, v = (spikes(TIME, BATCH, HEAD, TOKEN, DIM) for _ in range(3))
    a = attention.scores(q, k, window)
    assert a.shape == (len(pairs_in_loops(TIME, window)), BATCH, HEAD, TOKEN, TOKEN)
    assert np.array_equal(a.numpy(), scores_in_loops(q.numpy(), k.numpy(), window))
    o = attention.read(a, v, window, 0.3)
    np.testing.assert_allclose(
        o, read_in_loops(a.numpy(), v.numpy(), window, 0.3), rtol=0, atol=1e-12
    )


def test_scores_count_coincident_spikes():
    q, k = spikes(TIME, BATCH, HEAD, TOKEN, DIM), spikes(TIME, BATCH, HEAD, TOKEN, DIM)
    a = attention.scores(q, k, 3)
    assert a.min() >= 0 and a.max() <= DIM and torch.equal(a, a.round())
    assert attention.scores(torch.ones_like(q), torch.ones_like(k), 3).unique().tolist() == [DIM]


@pytest.mark.parametrize("window", WINDOWS)
def test_read_of_a_constant_past_keeps_its_scale(window):
    """The sum over steps is divided by their number: all steps read the same from a constant past."""
    v = spikes(1, BATCH, HEAD, TOKEN, DIM).expand(TIME, -1, -1, -1, -1)
    a = spikes(1, BATCH, HEAD, TOKEN, TOKEN).expand(
        len(causal_pairs(TIME, window)[0]), -1, -1, -1, -1
    )
    o = attention.read(a, v, window, 0.5)
    torch.testing.assert_close(o, (0.5 * a[:1] @ v[:1]).expand_as(o), rtol=0, atol=1e-12)


# --- the whole layer ----------------------------------------------------------------------------


def build(config, seed=4):
    """An attention layer in double precision, with normalisation that is not the identity."""
    torch.manual_seed(seed)
    layer = SpaceTimeAttention(config).double().eval()
    for norm in (m for m in layer.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.running_mean.uniform_(-0.3, 0.3)
        norm.running_var.uniform_(0.2, 0.6)
        torch.nn.init.uniform_(norm.bias, 0.0, 0.6)
    return layer


def layer_input(config, steps=TIME):
    shape = (steps, BATCH, config.dim, *config.grid)
    return spikes(*shape, rate=0.3) + spikes(*shape)  # 0, 1 or 2, as the residual stream has


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("window", (1, 3, 7))
def test_layer_equals_the_loops(small_config, form, window):
    config = small_config(memory=dict(form=form, window=window, decay=0.6), denoiser=dict(u=2.0))
    layer, x = build(config), layer_input(config)
    with torch.no_grad():
        ours = layer(x).numpy()
    assert 0.05 < ours.mean() < 0.95
    assert np.array_equal(ours, attention_in_loops(layer, x.numpy(), config))


def test_all_forms_are_equal_without_a_past(small_config):
    forms = ("none", *FORMS)
    layers = [build(small_config(memory=dict(form=form, window=1))) for form in forms]
    x = layer_input(small_config())
    for layer in layers[1:]:
        layer.load_state_dict(layers[0].state_dict())
    first, *others = [layer(x) for layer in layers]
    assert 0.05 < first.mean() < 0.95
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("form", FORMS)
def test_a_longer_window_changes_the_output_from_its_first_lag_on(small_config, form):
    layers = [build(small_config(memory=dict(form=form, window=window))) for window in (1, 2, 3)]
    weights = layers[-1].state_dict()
    x = layer_input(small_config())
    outputs = []
    for layer in layers:
        layer.load_state_dict({name: weights[name] for name in layer.state_dict()})
        outputs.append(layer(x))
    for lag, (shorter, longer) in enumerate(itertools.pairwise(outputs), start=1):
        assert torch.equal(shorter[:lag], longer[:lag])
        assert not torch.equal(shorter[lag], longer[lag])


def test_attenuated_is_projection_with_decayed_weights(small_config):
    decay, window = 0.6, 3
    weak = build(small_config(memory=dict(form="attenuated", window=window, decay=decay)))
    full = build(small_config(memory=dict(form="projection", window=window)))
    state = dict(weak.state_dict())
    for name in ("query", "key", "value"):
        first = state[f"{name}.lags.0.synapse.weight"]
        state |= {
            f"{name}.lags.{lag}.synapse.weight": decay**lag * first for lag in range(1, window)
        }
    full.load_state_dict(state)
    x = layer_input(small_config())
    assert torch.equal(weak(x), full(x))
    assert sum(p.numel() for p in full.parameters()) - sum(
        p.numel() for p in weak.parameters()
    ) == ((window - 1) * 3 * small_config().dim ** 2)


# --- causality and reach ------------------------------------------------------------------------


@pytest.mark.parametrize("form, window", [("none", 1), *itertools.product(FORMS, (2, 5))])
@pytest.mark.parametrize("changed", [0, 2, 4])
def test_nothing_changes_before_the_input_does(small_model, small_input, form, window, changed):
    model = small_model(memory=dict(form=form, window=window))
    x = small_input(model.config, steps=TIME)
    other = x.clone()
    other[changed] = 1 - other[changed]
    with torch.inference_mode():
        before, after = model.steps(x), model.steps(other)
    assert torch.equal(before[:changed], after[:changed])
    assert not torch.equal(before[changed], after[changed])


def forgetful(config, seed=6):
    """An attention layer whose neurons have tau = 1: only the attention itself remembers."""
    layer = build(config, seed)
    for lif in (m for m in layer.modules() if type(m).__name__ == "Tau"):
        torch.nn.init.constant_(lif.w, 1e3)
    return layer


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("window", (1, 2, 4))
@pytest.mark.parametrize("changed", [0, 2])
def test_the_window_limits_the_reach(small_config, form, window, changed):
    """With forgetful neurons, a step matters to exactly the steps from which the window reaches it."""
    config = small_config(memory=dict(form=form, window=window, decay=0.9))
    layer, steps = forgetful(config), 7
    x = layer_input(config, steps)
    other = x.clone()
    other[changed] = layer_input(config, 1)[0]
    with torch.no_grad():
        differs = (layer(x) != layer(other)).flatten(1).any(1)
    assert differs.nonzero().flatten().tolist() == list(
        range(changed, min(changed + window, steps))
    )


# --- denoisers ----------------------------------------------------------------------------------


def counts(*shape):
    return torch.randint(0, DIM + 1, shape).double().requires_grad_()


def gradient(f, a):
    weights = torch.arange(1.0, a.numel() + 1, dtype=a.dtype).view(a.shape)
    return torch.autograd.grad((f(a) * weights).sum(), a)[0] / weights


def denoiser(**options):
    return Denoise(DenoiserConfig(**options), 1, DIM).double()


def every_count():
    return torch.arange(DIM + 1, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("u", [0, 0.5, 1, 2, 3.5, 7, 9])
def test_threshold_equals_the_loop(u):
    a = counts(3, BATCH, HEAD, TOKEN, TOKEN)
    expected = [x if x > u else 0.0 for x in a.flatten().tolist()]
    for f in (lambda x: threshold(x, u), denoiser(u=u)):
        assert f(a).flatten().tolist() == expected
        assert gradient(f, a).flatten().tolist() == [float(x > u) for x in a.flatten().tolist()]


@pytest.mark.parametrize("kind", ["none", "threshold", "lookup"])
def test_u_of_zero_is_the_identity(kind):
    a = counts(3, BATCH, HEAD, TOKEN, TOKEN)
    assert torch.equal(denoiser(kind=kind, u=0)(a), a)


@pytest.mark.parametrize("u", [0, 1, 2.5, 7])
@pytest.mark.parametrize("flow", ["kept", "all"])
def test_lookup_of_the_thresholds_table_is_the_threshold(u, flow):
    a = counts(3, BATCH, HEAD, TOKEN, TOKEN)
    table = tuple(float(x) if x > u else 0.0 for x in range(DIM + 1))
    by_threshold = denoiser(u=u, gradient=flow)
    for by_table in (
        denoiser(kind="lookup", u=u, gradient=flow),
        denoiser(kind="lookup", table=table, gradient=flow),
    ):
        assert torch.equal(by_table(a), by_threshold(a))
        assert torch.equal(gradient(by_table, a), gradient(by_threshold, a))


@pytest.mark.parametrize("kind", ["threshold", "lookup"])
def test_gradient_all_passes_removed_entries_too(kind):
    through_kept, through_all = (
        denoiser(kind=kind, u=3, gradient=flow) for flow in ("kept", "all")
    )
    a = every_count()
    assert torch.equal(through_kept(a), through_all(a))
    assert gradient(through_kept, a).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert gradient(through_all, a).tolist() == [1] * (DIM + 1)


TABLE = (0.0, 0.25, 0.0, -1.5, 2.0, 7.0, 6.5, 1.0)


def test_lookup_equals_the_loop():
    a = counts(3, BATCH, HEAD, TOKEN, TOKEN)
    f = denoiser(kind="lookup", table=TABLE)
    assert f(a).flatten().tolist() == [TABLE[int(x)] for x in a.flatten().tolist()]
    assert gradient(f, every_count()).tolist() == [float(x != 0) for x in TABLE]


@pytest.mark.parametrize("a, expected", [(-3.0, 0), (0.4, 0), (6.6, 7), (12.0, 7)])
def test_lookup_takes_the_nearest_count_of_its_table(a, expected):
    table = torch.arange(8.0) + 100
    assert lookup(torch.tensor([a]), table).item() == 100 + expected


def test_a_learned_table_is_trained():
    f = denoiser(kind="lookup", table=TABLE, learn_table=True)
    assert [name for name, _ in f.named_parameters()] == ["table"]
    a = torch.tensor([0.0, 3.0, 3.0, 7.0], dtype=torch.float64)
    f(a).sum().backward()
    assert f.table.grad.tolist() == [1, 0, 0, 2, 0, 0, 0, 1]  # how often each count occurs


def test_a_fixed_table_is_not_trained():
    f = denoiser(kind="lookup", table=TABLE)
    assert not list(f.parameters()) and "table" in f.state_dict()
