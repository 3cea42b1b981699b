"""The strongest forms of a step that PyTorch allows: several variants, of which the fastest is taken for each layer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from problem import Problem, images, rows
from rules import finish_hpca, finish_swta, inverse_norm, plain_soft_winners, soft_winners

Step = Callable[[], tuple[Tensor, Tensor | None]]
"""One step: the output and the update."""


@dataclass(frozen=True)
class Variant:
    """How a step's two products are computed, and whether what lies between them is compiled."""

    forward: str
    """`nchw` or `channels_last` convolution, or a product with `patches`."""
    gradient: str
    """`convolution`, PyTorch's own weight gradient, or a product with `patches`."""
    product: str = "matmul"
    """Whose product of matrices: `matmul` or `onednn`."""
    compiled: bool = False
    """Whether the elementwise stages go through `torch.compile`."""

    def __str__(self) -> str:
        parts = [self.forward, f"gradient by {self.gradient}"]
        if "patches" in (self.forward, self.gradient):
            parts.append(self.product)
        return ", ".join(parts + ["compiled"] * self.compiled)


def variants(work: str, device: torch.device, compilers: bool) -> list[Variant]:
    """Every variant of a work, a rule or `forward` or `gradient`, that the device can run."""
    onednn = device.type == "cpu" and torch.backends.mkldnn.is_available()
    products = ["matmul", "onednn"] if onednn else ["matmul"]
    found = [Variant("nchw", "convolution"), Variant("channels_last", "convolution")]
    found += [Variant("patches", "patches", product) for product in products]
    if work not in ("forward", "gradient"):
        found += [Variant("channels_last", "patches", product) for product in products]
    if work == "swta" and compilers:
        found += [Variant(v.forward, v.gradient, v.product, True) for v in found]
    return found


@cache
def compiled_soft_winners() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """The elementwise stages of SWTA as one kernel."""
    return torch.compile(plain_soft_winners, dynamic=False)


class Tuned:
    """One variant of one layer's step."""

    def __init__(self, problem: Problem, variant: Variant) -> None:
        self.problem = problem
        self.variant = variant
        self.in_images = variant.forward == "nchw"
        self.flat = problem.flat if self.in_images else problem.flat_last
        responses = problem.responses if self.in_images else problem.response_rows()
        self.responses = responses

    def step(self, work: str) -> Step:
        """The step of a rule, or its floor: `forward` or `gradient` alone."""
        return {
            "forward": self._forward,
            "gradient": self._gradient,
            "hebb": self._hebb,
            "hpca": self._hpca,
            "swta": self._swta,
        }[work]

    def _forward(self) -> tuple[Tensor, None]:
        return self._respond(self._patches(self.variant.forward)), None

    def _gradient(self) -> tuple[Tensor, Tensor]:
        correlation = self._correlate(self.responses, self._patches(self.variant.gradient))
        return self.responses, self._shaped(correlation)

    def _hebb(self) -> tuple[Tensor, Tensor]:
        patches = self._patches(self.variant.gradient)
        y = self._respond(patches)
        return y, self._shaped(self._correlate(y, patches).div_(self.problem.patches))

    def _hpca(self) -> tuple[Tensor, Tensor]:
        patches = self._patches(self.variant.gradient)
        y = self._respond(patches)
        c = torch.relu(y)
        correlation = self._correlate(c, patches)
        return y, self._shaped(finish_hpca(correlation, self._gram(c), self.flat, self.problem.patches))

    def _swta(self) -> tuple[Tensor, Tensor]:
        patches = self._patches(self.variant.gradient)
        y = self._respond(patches)
        inverse_weight = inverse_norm(self.flat.square().sum(1))
        inverse_patch = inverse_norm(self.problem.patch_energy())
        if not self.in_images:
            inverse_patch = inverse_patch.view(-1, 1)
        compete = compiled_soft_winners() if self.variant.compiled else soft_winners
        c, squares, mass = compete(y, inverse_weight, inverse_patch)
        return y, self._shaped(finish_swta(self._correlate(c, patches), squares, mass, self.flat))

    def _patches(self, needed: str) -> Tensor | None:
        """The patches, laid out once for both products, if one of them needs them."""
        return self.problem.patch_rows() if needed == "patches" else None

    def _respond(self, patches: Tensor | None) -> Tensor:
        """`[n, neurons, out, out]` for NCHW, `[patches, neurons]` otherwise."""
        problem, layer = self.problem, self.problem.layer
        if self.variant.forward == "patches":
            return self._product(patches, problem.flat_last)
        if self.in_images:
            return F.conv2d(problem.x, problem.weight, stride=layer.stride, padding=layer.padding)
        return rows(F.conv2d(problem.x_last, problem.weight_last, stride=layer.stride, padding=layer.padding))

    def _correlate(self, c: Tensor, patches: Tensor | None) -> Tensor:
        """`Σ c x`, `[neurons, fan-in]` in the order of `flat`."""
        if self.variant.gradient == "patches":
            return self._product(c.T, patches.T)
        if self.in_images:
            return self._convolution_gradient(c, self.problem.x, self.problem.weight).flatten(1)
        c = images(c, self.problem)
        gradient = self._convolution_gradient(c, self.problem.x_last, self.problem.weight_last)
        return gradient.permute(0, 2, 3, 1).flatten(1)

    def _convolution_gradient(self, c: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        layer = self.problem.layer
        stride, padding = [layer.stride] * 2, [layer.padding] * 2
        needed = [False, True, False]  # of input, weight and bias
        return torch.ops.aten.convolution_backward(
            c, x, weight, None, stride, padding, [1, 1], False, [0, 0], 1, needed
        )[1]

    def _gram(self, c: Tensor) -> Tensor:
        """`Σ c cᵀ`, `[neurons, neurons]`."""
        if self.in_images:
            c = c.flatten(2)
            return torch.bmm(c, c.transpose(1, 2)).sum(0)
        return self._product(c.T, c.T)

    def _product(self, a: Tensor, b: Tensor) -> Tensor:
        """`a bᵀ`."""
        if self.variant.product == "onednn":
            return torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
        return a @ b.T

    def _shaped(self, flat: Tensor) -> Tensor:
        """From the order of `flat` to `[neurons, channels, kernel, kernel]`."""
        neurons, channels, kernel, _ = self.problem.weight.shape
        if self.in_images:
            return flat.view(neurons, channels, kernel, kernel)
        return flat.view(neurons, kernel, kernel, channels).permute(0, 3, 1, 2)
