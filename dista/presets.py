"""Named model configurations: the paper's sizes, and small ones for laptops, teaching and tests."""

from __future__ import annotations

import difflib

from dista.config import DenoiserConfig, MemoryConfig, ModelConfig, NeuronConfig

_FIXED = NeuronConfig(learn_tau=False)
_CLEAN = DenoiserConfig(kind="none")
_ALONE = MemoryConfig(form="none")

_CIFAR = ModelConfig(
    input_shape=(3, 32, 32),
    classes=10,
    time_steps=6,
    dim=384,
    depth=4,
    heads=12,
    stem_pools=(False, False, True, True),
    memory=MemoryConfig(form="projection", window=6),
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
)
_DVS = ModelConfig(
    input_shape=(2, 128, 128),
    classes=10,
    time_steps=10,
    dim=256,
    depth=2,
    heads=16,
    stem_pools=(True, True, True, True),
    memory=MemoryConfig(form="projection", window=10),
)
_DIGITS = ModelConfig(
    input_shape=(1, 28, 28),
    classes=10,
    time_steps=4,
    dim=64,
    depth=2,
    heads=4,
    attention_scale=0.5,
    memory=MemoryConfig(form="projection", window=4),
    mean=(0.1307,),
    std=(0.3081,),
)
_MATCH = _DIGITS.replace(
    classes=2, time_steps=8, readout_steps=2, memory=MemoryConfig(form="projection", window=8)
)


def _without_memory(config: ModelConfig) -> ModelConfig:
    """Spikformer of the same size: fixed tau = 2, spatial attention, no denoiser [related]."""
    return config.replace(neuron=_FIXED, memory=_ALONE, denoiser=_CLEAN)


_PRESETS = {
    "dista_cifar": _CIFAR,
    "dista_cifar100": _CIFAR.replace(classes=100),
    "dista_dvs": _DVS,
    "spikformer_cifar": _without_memory(_CIFAR),
    "spikformer_cifar100": _without_memory(_CIFAR.replace(classes=100)),
    "spikformer_dvs": _without_memory(_DVS),
    "cifar_small": _CIFAR.replace(
        time_steps=4,
        dim=192,
        depth=2,
        heads=6,
        stem_pools=(False, True, True, False),
        memory=MemoryConfig(form="map", window=4),
    ),
    "digits": _DIGITS,
    "digits_events": _DIGITS.replace(
        input_shape=(2, 34, 34),
        time_steps=8,
        memory=MemoryConfig(form="projection", window=4),
        mean=(0.0,),
        std=(1.0,),
    ),
    "match_projection": _MATCH,
    "match_map": _MATCH.replace(memory=MemoryConfig(form="map", window=8)),
    "match_tau": _MATCH.replace(memory=_ALONE),
    "match_baseline": _without_memory(_MATCH),
    "tiny": _DIGITS.replace(dim=16, depth=1, heads=2, memory=MemoryConfig(form="map", window=4)),
}


def presets() -> dict[str, ModelConfig]:
    """All presets by name; the sizes of the first six are the paper's [paper, reviews]."""
    return dict(_PRESETS)


def preset(name: str) -> ModelConfig:
    """The preset called ``name``; a KeyError names the nearest ones where there is none."""
    key = name.replace("-", "_")
    if key not in _PRESETS:
        near = difflib.get_close_matches(key, _PRESETS, 3) or list(_PRESETS)
        raise KeyError(f"no preset {name!r}; did you mean {', '.join(near)}?")
    return _PRESETS[key]
