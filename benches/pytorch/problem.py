"""A layer, its weight and its batch, in the memory layouts that PyTorch's forms work on."""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from layers import Layer


class Problem:
    """What every form of one layer starts from."""

    def __init__(self, layer: Layer, x: Tensor, weight: Tensor) -> None:
        """`x` is `[n, channels, size, size]`, `weight` is `[neurons, channels, kernel, kernel]`."""
        self.layer = layer
        self.x = x
        self.weight = weight
        self.x_last = x.contiguous(memory_format=torch.channels_last)
        self.weight_last = weight.contiguous(memory_format=torch.channels_last)
        self.responses = F.conv2d(x, weight, stride=layer.stride, padding=layer.padding)

    @classmethod
    def random(cls, layer: Layer, batch: int, device: torch.device) -> "Problem":
        """Normal inputs and weights in `±1/√fan-in`; the same numbers on every device."""
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(batch, layer.channels, layer.size, layer.size, generator=generator)
        weight = torch.rand(layer.neurons, layer.channels, layer.kernel, layer.kernel, generator=generator)
        weight = (2 * weight - 1) / layer.fan_in**0.5
        return cls(layer, x.to(device), weight.to(device))

    def double(self) -> "Problem":
        """The same in twice the precision."""
        return Problem(self.layer, self.x.double(), self.weight.double())

    @property
    def patches(self) -> int:
        """Patches of the batch."""
        return self.x.shape[0] * self.layer.out**2

    @cached_property
    def flat(self) -> Tensor:
        """The weight, `[neurons, channels · taps]`."""
        return self.weight.flatten(1)

    @cached_property
    def flat_last(self) -> Tensor:
        """The weight, `[neurons, taps · channels]`."""
        return self.weight_last.permute(0, 2, 3, 1).flatten(1).contiguous()

    def response_rows(self) -> Tensor:
        """The responses, `[patches, neurons]`."""
        return rows(self.responses).contiguous()

    def unfolded(self) -> Tensor:
        """The patches by PyTorch's unfold, `[patches, channels · taps]`."""
        columns = F.unfold(self.x, self.layer.kernel, stride=self.layer.stride, padding=self.layer.padding)
        return columns.transpose(1, 2).flatten(0, 1)

    def patch_rows(self) -> Tensor:
        """The patches, `[patches, taps · channels]`: one copy, in long runs, of a view."""
        kernel, stride, out = self.layer.kernel, self.layer.stride, self.layer.out
        x = F.pad(self.x_last, [self.layer.padding] * 4) if self.layer.padding else self.x_last
        n, channels, _, _ = x.shape
        image, channel, row, column = x.stride()
        view = x.as_strided(
            (n, out, out, kernel, kernel, channels),
            (image, row * stride, column * stride, row, column, channel),
        )
        return view.reshape(self.patches, -1)

    def patch_energy(self) -> Tensor:
        """`‖x‖²` of every patch, `[n, 1, out, out]`, by a box sum over one channel."""
        kernel, stride, padding = self.layer.kernel, self.layer.stride, self.layer.padding
        energy = self.x_last.square().sum(1, keepdim=True)
        return F.avg_pool2d(energy, kernel, stride, padding).mul_(kernel**2)


def rows(images: Tensor) -> Tensor:
    """`[n, neurons, out, out]` → `[patches, neurons]`, a view where the channels come last."""
    return images.permute(0, 2, 3, 1).flatten(0, 2)


def images(rows: Tensor, problem: Problem) -> Tensor:
    """`[patches, neurons]` → `[n, neurons, out, out]`, the inverse of `rows`."""
    out = problem.layer.out
    return rows.view(-1, out, out, rows.shape[1]).permute(0, 3, 1, 2)
