"""Forward and backward of a batch as one CUDA graph, replayed for every batch of the same shape.

A model of this size is a few thousand kernels of a few microseconds; launched one by one from Python they
would keep the GPU waiting.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

_WARM_UP = 3  # batches before the recording: kernels are compiled and chosen in them


class Replay:
    """(inputs, targets) to the loss, with the gradients in ``grad`` of the parameters as those of this batch.

    ``compute`` is the loss of a batch, ``backward`` what adds its gradients. The first batch of ``size``
    samples is recorded; batches of other shapes run as usual. Gradients stay where they are, so nobody may
    take them from the parameters, as ``zero_grad`` would.
    """

    def __init__(
        self,
        module: nn.Module,
        compute: Callable[[Tensor, Tensor], Tensor],
        backward: Callable[[Tensor], None],
        size: int,
    ) -> None:
        self.module, self.compute, self.backward, self.size = module, compute, backward, size
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, x: Tensor, targets: Tensor) -> Tensor:
        if self.graph is None and len(targets) == self.size:
            self._record(x, targets)
        if self.graph is None or self._form(x, targets) != self._form(self.x, self.targets):
            self._forget()
            return self._run(x, targets)
        self.x.copy_(x)
        self.targets.copy_(targets)
        self.graph.replay()
        return self.loss.clone()  # the next replay writes over it

    def _run(self, x: Tensor, targets: Tensor) -> Tensor:
        loss = self.compute(x, targets)
        self.backward(loss)
        return loss.detach()

    def _record(self, x: Tensor, targets: Tensor) -> None:
        self.x, self.targets = x.clone(), targets.clone()
        before = [buffer.clone() for buffer in self.module.buffers()]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UP):
                self._run(self.x, self.targets)
        torch.cuda.current_stream().wait_stream(aside)
        with torch.no_grad():  # statistics must not have seen a batch that was no step
            for buffer, value in zip(self.module.buffers(), before):
                buffer.copy_(value)
        for parameter in self.parameters:
            parameter.grad = None  # the recording makes its own
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.loss = self._run(self.x, self.targets)

    def _forget(self) -> None:
        grads = [p.grad for p in self.parameters if p.grad is not None]
        if grads:
            torch._foreach_zero_(grads)

    @staticmethod
    def _form(
        x: Tensor, targets: Tensor
    ) -> tuple[torch.Size, torch.dtype, torch.Size, torch.dtype]:
        return x.shape, x.dtype, targets.shape, targets.dtype
