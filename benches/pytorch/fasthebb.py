"""FastHebb (Lagani et al. 2024): forward convolution, unfold, products of matrices; and what there was before it."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from clock import Time, now
from problem import Problem, rows
from rules import TEMPERATURE, TINY, finish_hpca, finish_swta

CHUNK_BYTES = 256 * 2**20
"""Size of the per-patch form's temporary."""


def respond(problem: Problem) -> Tensor:
    """The forward pass."""
    layer = problem.layer
    return F.conv2d(problem.x, problem.weight, stride=layer.stride, padding=layer.padding)


def soft_winners(y: Tensor, patches: Tensor, weight: Tensor) -> Tensor:
    """`softmax(((cos + 1) / 2)² / T)`, `[patches, neurons]`."""
    norms = patches.norm(dim=1, keepdim=True) * weight.norm(dim=1)
    cosine = y / norms.clamp_min(TINY)
    return torch.softmax(((cosine + 1) / 2) ** 2 / TEMPERATURE, 1)


def fasthebb(problem: Problem, rule: str) -> tuple[Tensor, Tensor]:
    """The output and the update, `[neurons, channels, kernel, kernel]`."""
    output = respond(problem)
    patches, weight = problem.unfolded(), problem.flat
    y = rows(output)
    if rule == "swta":
        z = soft_winners(y, patches, weight)
        c = z * z
        delta = finish_swta(c.T @ patches, c.sum(0), z.sum(0), weight)
    elif rule == "hpca":
        y = torch.relu(y)
        delta = finish_hpca(y.T @ patches, y.T @ y, weight, problem.patches)
    else:
        delta = (y.T @ patches) / problem.patches
    return output, delta.view_as(problem.weight)


class PerPatch:
    """One difference `x − w` per patch and neuron, in chunks whose temporary fits."""

    def __init__(self, problem: Problem, rule: str) -> None:
        self.problem = problem
        self.rule = rule
        size = problem.weight.numel() * problem.x.element_size()
        self.chunk = max(1, min(problem.patches, CHUNK_BYTES // size))

    def delta(self) -> Tensor:
        """The update over all patches."""
        patches, y = self._before()
        total = sum(self._chunk(patches, y, start) for start in range(0, self.problem.patches, self.chunk))
        if self.rule == "swta":
            mass = soft_winners(y, patches, self.problem.flat).sum(0)
            delta = total / mass.clamp_min(TINY)[:, None]
        else:
            delta = total / self.problem.patches
        if self.rule == "hpca":
            delta = delta / self.problem.layer.fan_in**0.5
        return delta.view_as(self.problem.weight)

    def time(self, synchronize: Callable[[], None]) -> Time:
        """One step: the differences of one chunk are measured and scaled to all patches."""
        start = now(synchronize)
        patches, y = self._before()
        before = now(synchronize)
        self._chunk(patches, y, 0)
        after = now(synchronize)
        return (before - start) + (after - before) * (self.problem.patches / self.chunk)

    def _before(self) -> tuple[Tensor, Tensor]:
        return self.problem.unfolded(), rows(respond(self.problem))

    def _chunk(self, patches: Tensor, y: Tensor, start: int) -> Tensor:
        """The sum over one chunk, `[neurons, fan-in]`."""
        x, y = patches[start : start + self.chunk], y[start : start + self.chunk]
        weight = self.problem.flat
        if self.rule == "swta":
            c = soft_winners(y, x, weight).square_()
            terms = x[:, None] - weight  # [chunk, neurons, fan-in]
        elif self.rule == "hpca":
            c = torch.relu(y)
            terms = (c[:, :, None] * weight).cumsum_(1).neg_().add_(x[:, None])
        else:
            c = y
            terms = x[:, None].expand(-1, len(weight), -1).clone()
        return terms.mul_(c[:, :, None]).sum(0)
