"""Frozen, validated configurations and the presets built from them.

A configuration is data: it can be written as JSON, read back, compared and copied with a change
(``config.replace(window=1)``). It knows nothing of torch, so that opening one costs nothing.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from dista.denoisers import DenoiserConfig
from dista.memories import MemoryConfig
from dista.validation import Config, ConfigError

__all__ = [
    "Config",
    "ConfigError",
    "DenoiserConfig",
    "MemoryConfig",
    "ModelConfig",
    "NeuronConfig",
    "SURROGATES",
    "TrainingConfig",
]

SURROGATES = {
    "sigmoid": "Sigmoid",
    "atan": "ATan",
    "piecewise_quadratic": "PiecewiseQuadratic",
    "piecewise_exp": "PiecewiseExp",
    "soft_sign": "SoftSign",
    "super_spike": "SuperSpike",
    "erf": "Erf",
    "rect": "Rect",
}
"""Surrogate gradients by name, and the class in ``spikingjelly.activation_based.surrogate``."""


class NeuronConfig(Config):
    """A layer of leaky integrate-and-fire neurons.

    ``tau`` is the membrane time constant in steps at the start of training, ``learn_tau`` whether it
    is trained [paper: intrinsic plasticity], ``tau_per`` how many neurons share one: a whole layer
    [reviews: PLIF] or a channel [ours]. ``v_reset`` of None is the soft reset.
    """

    tau: float = Field(2.0, gt=1)
    learn_tau: bool = True
    tau_per: Literal["layer", "channel"] = "layer"
    v_threshold: float = Field(1.0, gt=0)
    v_reset: float | None = 0.0
    surrogate: Literal[tuple(SURROGATES)] = "sigmoid"  # type: ignore[valid-type]  # pydantic reads the table
    alpha: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _reset_below_threshold(self) -> Self:
        if self.v_reset is not None and self.v_reset >= self.v_threshold:
            raise ValueError(
                f"v_reset={self.v_reset} must lie below v_threshold={self.v_threshold}; "
                "otherwise a neuron that fired would fire for ever"
            )
        return self


class ModelConfig(Config):
    """Everything that decides the shape and behaviour of a DISTA.

    ``input_shape`` is (channel, row, column). ``stem_pools`` has one entry for each convolution of
    the stem: whether its output is pooled to half the size. ``readout_steps`` is how many of the
    last steps are averaged into the answer; None is the whole sequence. ``mean`` and ``std``
    normalise the input inside the model, so that what is shown is what the model sees.
    """

    input_shape: tuple[int, int, int]
    classes: int = Field(ge=2)
    time_steps: int = Field(4, ge=1)
    dim: int = Field(64, ge=1)
    depth: int = Field(2, ge=1)
    heads: int = Field(4, ge=1)
    mlp_ratio: float = Field(4.0, gt=0)
    stem_pools: tuple[bool, ...] = (True, True)
    neuron: NeuronConfig = NeuronConfig()
    attention_scale: float = Field(0.125, gt=0)
    attention_threshold: float = Field(0.5, gt=0)
    memory: MemoryConfig = MemoryConfig()
    denoiser: DenoiserConfig = DenoiserConfig()
    readout_steps: int | None = Field(None, ge=1)
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if min(self.input_shape) < 1:
            raise ValueError(f"input_shape={self.input_shape} must be three positive sizes")
        if self.dim % self.heads:
            raise ValueError(f"dim={self.dim} must be a multiple of heads={self.heads}")
        stages = len(self.stem_pools)
        if not stages or self.dim % 2 ** (stages - 1):
            raise ValueError(
                f"stem_pools={self.stem_pools}: the channels double at each stage up to dim={self.dim}, "
                "so there must be at least one stage and dim must be divisible by 2**(stages - 1)"
            )
        for name in ("mean", "std"):
            if len(getattr(self, name)) not in (1, self.input_shape[0]):
                raise ValueError(
                    f"{name}={getattr(self, name)} needs one value, or one for each of the "
                    f"{self.input_shape[0]} input channels"
                )
        if min(self.std) <= 0:
            raise ValueError(f"std={self.std} must be positive")
        if self.readout_steps is not None and self.readout_steps > self.time_steps:
            raise ValueError(
                f"readout_steps={self.readout_steps} exceeds time_steps={self.time_steps}"
            )
        if int(self.dim * self.mlp_ratio) < 1:
            raise ValueError(
                f"mlp_ratio={self.mlp_ratio} of dim={self.dim} leaves no hidden channel; "
                "dim * mlp_ratio must be at least 1"
            )
        v_reset = self.neuron.v_reset
        if v_reset is not None and v_reset >= self.attention_threshold:
            raise ValueError(
                f"attention_threshold={self.attention_threshold} must lie above "
                f"neuron.v_reset={v_reset}, to which the neurons after attention fall back"
            )
        table = self.denoiser.table
        if table is not None and len(table) != self.head_dim + 1:
            raise ValueError(
                f"denoiser.table has {len(table)} values; counts run from 0 to dim/heads="
                f"{self.head_dim}, so it needs {self.head_dim + 1}"
            )
        return self

    @property
    def head_dim(self) -> int:
        """Channels of one head, d; the largest count that an attention map can hold."""
        return self.dim // self.heads

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches (tokens) that the stem makes of an input."""
        rows, columns = self.input_shape[1:]
        for pooled in self.stem_pools:
            if pooled:
                rows, columns = (rows + 1) // 2, (columns + 1) // 2
        return rows, columns


class TrainingConfig(Config):
    """How a model is trained: AdamW, warm-up and cosine, and what is switched on besides.

    The basics:

    - ``epochs``, ``batch_size`` (samples of one forward on one device), ``accumulate`` (forwards of one
      optimiser step), ``lr``, ``weight_decay``, ``clip`` (largest gradient norm). ``warmup`` is the part
      of all steps in which the rate rises; then it falls as a cosine [related: Spikformer].
    - ``epoch_steps`` ends an epoch after so many optimiser steps, where all of the data would take more: what is
      measured and recorded of epochs, the film, then comes that often. None is a pass over all of the data.
    - ``minutes`` ends the training after that time; the schedule then reaches its end with it
      [related: budgeted training, arXiv 1905.04753].
    - ``init`` is a checkpoint, by name or folder, or the folder of a run, whose best one it is: its weights
      are the start where they fit.
    - ``seed``; ``threads`` of the CPU, of which 1 is reproducible bit for bit.

    Joint plasticity:

    - ``tau_lr`` is the rate of the time constants, which have no weight decay [ours]; ``tau_min`` and
      ``tau_max`` bound them, in steps, after every step [ours].
    - ``freeze`` keeps ``synapses`` or ``taus`` as they start: intrinsic plasticity only, or synaptic
      only, which is the ablation of the paper's joint training [paper].

    The loss:

    - ``loss`` is the cross-entropy of the answer (``rate``), or of every step of the read-out
      (``tet``: temporal efficient training, arXiv 2202.11946), with ``tet_lambda`` times the squared
      distance of the logits to 1.
    - ``label_smoothing`` [related: Spikformer]; ``ema`` is the decay of a moving average of the
      weights, which is then what is measured and saved; 0 for none (arXiv 1512.00567).

    The data; each is off at 0 or ``none``:

    - ``augment``: the task's own small deformations. ``policy``: RandAugment (``rand``, arXiv
      1909.13719), TrivialAugment (``trivial``, 2103.10158) or AutoAugment for CIFAR-10 (``auto``,
      1805.09501), on images. ``erasing``: the probability of a random rectangle (1708.04896), which is
      cutout on events. ``flip``: the probability of mirroring left and right; ``roll``: the largest
      shift in pixels, what leaves at one side coming back at the other; both as for event data in
      2203.06145, of all steps of a sample alike.
    - ``mixup`` (1710.09412), ``cutmix`` (1905.04899) and, on events, ``eventmix`` (2205.11739): the
      alpha of the Beta distribution from which the share is drawn. Where several are on, each batch
      draws one of them.

    The machine: ``precision``, ``devices`` on each of ``num_nodes`` machines.

    What is kept: ``probes`` validation samples from ``probe`` on are recorded in snapshots, at
    log-spaced epochs, in at most ``snapshot_mb`` megabytes, and ``activity`` of them measured every epoch
    for the tables; a resumable state is written after every epoch, and every ``save_minutes`` within one.
    """

    init: str | None = None

    epochs: int = Field(12, ge=1)
    minutes: float | None = Field(None, gt=0)
    batch_size: int = Field(32, ge=1)
    accumulate: int = Field(1, ge=1)
    lr: float = Field(2e-3, gt=0)
    weight_decay: float = Field(0.05, ge=0)
    warmup: float = Field(0.15, ge=0, lt=1)
    clip: float = Field(1.0, gt=0)
    epoch_steps: int | None = Field(None, ge=1)

    tau_lr: float = Field(8e-3, gt=0)
    tau_min: float | None = Field(None, gt=1)
    tau_max: float | None = Field(None, gt=1)
    freeze: Literal["none", "synapses", "taus"] = "none"

    loss: Literal["rate", "tet"] = "rate"
    tet_lambda: float = Field(0.05, ge=0, le=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    ema: float = Field(0.0, ge=0, lt=1)

    augment: bool = True
    policy: Literal["none", "rand", "trivial", "auto"] = "none"
    erasing: float = Field(0.0, ge=0, le=1)
    flip: float = Field(0.0, ge=0, le=1)
    roll: int = Field(0, ge=0)
    mixup: float = Field(0.0, ge=0)
    cutmix: float = Field(0.0, ge=0)
    eventmix: float = Field(0.0, ge=0)

    seed: int = Field(0, ge=0)
    threads: int | None = Field(None, ge=1)
    precision: Literal["fp32", "bf16-mixed"] = "fp32"
    devices: int = Field(1, ge=1)
    num_nodes: int = Field(1, ge=1)

    probe: int = Field(0, ge=0)
    probes: int = Field(1, ge=1)
    snapshot_mb: float = Field(200.0, gt=0)
    activity: int = Field(32, ge=1)
    save_minutes: float = Field(5.0, ge=0)

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.tau_min and self.tau_max and self.tau_min >= self.tau_max:
            raise ValueError(f"tau_min={self.tau_min} must lie below tau_max={self.tau_max}")
        return self
