"""What the rules compute between the two products of matrices, and after them.

`y` are responses, `[patches, neurons]` or `[n, neurons, out, out]`: neurons lie on axis 1 in both.
"""

import torch
from torch import Tensor

RULES = ("hebb", "hpca", "swta")

TEMPERATURE = 0.02
"""Of the softmax of SWTA."""

TINY = 1e-30
"""Energies below this count as zero."""


def inverse_norm(energy: Tensor) -> Tensor:
    """`1 / √energy`."""
    return energy.clamp_min(TINY).rsqrt()


def per_neuron(values: Tensor, like: Tensor) -> Tensor:
    """`[neurons]` in a shape that broadcasts over `like`."""
    return values.view([1, -1] + [1] * (like.dim() - 2))


def soft_winners(y: Tensor, inverse_weight: Tensor, inverse_patch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`z²`, `Σ z²` and `Σ z` of `z = softmax(((cos + 1) / 2)² / T)`, in as few passes as eager PyTorch needs."""
    half_cosine = (y * per_neuron(inverse_weight / 2, y)).mul_(inverse_patch)
    z = torch.softmax(half_cosine.add_(0.5).square_().mul_(1 / TEMPERATURE), 1)
    mass = over_patches(z)
    squares = z.square_()
    return squares, over_patches(squares), mass


def plain_soft_winners(y: Tensor, inverse_weight: Tensor, inverse_patch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As `soft_winners`, for a compiler to fuse: no maximum, as scores are at most `1 / T`, nothing in place."""
    base = y * per_neuron(inverse_weight / 2, y) * inverse_patch + 0.5
    powers = torch.exp(base * base * (1 / TEMPERATURE))
    z = powers / powers.sum(1, keepdim=True)
    squares = z * z
    return squares, over_patches(squares), over_patches(z)


def over_patches(values: Tensor) -> Tensor:
    """The sum of every neuron, `[neurons]`."""
    return values.sum([axis for axis in range(values.dim()) if axis != 1])


def finish_swta(correlation: Tensor, squares: Tensor, mass: Tensor, weight: Tensor) -> Tensor:
    """`(Σ z² x − Σ z² w) / Σ z`, `[neurons, fan-in]`."""
    decayed = torch.addcmul(correlation, squares[:, None], weight, value=-1)
    return decayed.div_(mass.clamp_min(TINY)[:, None])


def finish_hpca(correlation: Tensor, gram: Tensor, weight: Tensor, patches: int) -> Tensor:
    """`(Σ y x − tril(Σ y yᵀ) W) / patches / √fan-in`, `[neurons, fan-in]`."""
    scale = 1 / (patches * weight.shape[1] ** 0.5)
    return torch.addmm(correlation, gram.tril_(), weight, beta=scale, alpha=-scale)
