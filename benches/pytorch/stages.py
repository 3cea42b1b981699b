"""What protocols in PyTorch are made of: phases that are timed, forms of a step, products of patches."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from clock import Time, now
from pictures import Part

REHEARSALS = 5
"""Runs by whose shortest time a form is chosen, after two that warm up."""


class Clock:
    """Seconds by phase, one after the other; the processor time of all together."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self._began = self._last = now(lambda: None)

    def end(self, phase: str) -> None:
        """What has passed since the last end was this phase."""
        self.phases[phase] = (now(lambda: None) - self._last).wall
        self._last = now(lambda: None)

    def total(self) -> Time:
        """From the beginning to the last end."""
        return self._last - self._began


@dataclass(frozen=True)
class Form:
    """How PyTorch computes a step."""

    PRODUCTS: ClassVar = (("convolution", "convolution"), ("convolution", "patches"), ("patches", "patches"))
    """By what a layer responds, and by what it sums over patches: PyTorch's convolution, or a product with patches."""

    last: bool
    """Whether channels come last in memory."""
    compiled: bool
    """Whether the stages between the products go through `torch.compile`."""
    products: tuple[tuple[str, str], ...] = (PRODUCTS[0],) * 3
    """Of each layer."""

    @property
    def memory(self) -> torch.memory_format:
        """For PyTorch."""
        return torch.channels_last if self.last else torch.contiguous_format

    def with_product(self, number: int, product: tuple[str, str]) -> "Form":
        """With another product for a layer."""
        products = list(self.products)
        products[number] = product
        return replace(self, products=tuple(products))

    def __str__(self) -> str:
        layout = "channels last" if self.last else "channels first"
        products = ", ".join(dict.fromkeys(f"{respond}/{correlate}" for respond, correlate in self.products))
        return f"{layout}, {'compiled' if self.compiled else 'eager'}, {products}"


def fastest(forms: dict[Form, Callable[[], object]]) -> Form:
    """The form whose shortest run is the shortest."""
    times = {form: seconds(run) for form, run in forms.items()}
    return min(times, key=times.__getitem__)


def seconds(run: Callable[[], object]) -> float:
    """The shortest of some runs."""
    times = []
    for turn in range(REHEARSALS + 2):
        start = perf_counter()
        run()
        if turn > 1:
            times.append(perf_counter() - start)
    return min(times)


def mapped(images: Tensor, chunk: int, f: Callable[[Tensor], Tensor]) -> Tensor:
    """What `f` makes of images, some at a time."""
    output = None
    for start in range(0, len(images), chunk):
        part = f(images[start : start + chunk])
        if output is None:
            output = part.new_empty(len(images), *part.shape[1:])
        output[start : start + chunk] = part
    return output


def patch_rows(x: Tensor, kernel: int) -> Tensor:
    """The patches, `[patches, taps · channels]`: one copy, in long runs, of a view where channels come last."""
    n, channels, height, width = x.shape
    rows, columns = height - kernel + 1, width - kernel + 1
    image, channel, row, column = x.stride()
    view = x.as_strided((n, rows, columns, kernel, kernel, channels), (image, row, column, row, column, channel))
    return view.reshape(n * rows * columns, -1)


def respond(x: Tensor, weight: Tensor, patches: Tensor | None) -> Tensor:
    """`[n, neurons, height, width]`, by PyTorch's convolution or a product with the patches."""
    if patches is None:
        return F.conv2d(x, weight)
    n, kernel = len(x), weight.shape[2]
    rows = patches @ weight.permute(2, 3, 1, 0).flatten(0, 2)
    return rows.view(n, x.shape[2] - kernel + 1, x.shape[3] - kernel + 1, -1).permute(0, 3, 1, 2)


def correlate(c: Tensor, x: Tensor, weight: Tensor, patches: Tensor | None) -> Tensor:
    """`Σ c x`, by PyTorch's own weight gradient or a product with the patches."""
    if patches is None:
        needed = [False, True, False]
        return torch.ops.aten.convolution_backward(
            c, x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1, needed
        )[1]
    return weighted(c.permute(0, 2, 3, 1).flatten(0, 2).T @ patches, weight)


def weighted(sums: Tensor, weight: Tensor) -> Tensor:
    """Sums in the order of patches, `[neurons, taps · channels]`, in the shape of the weight."""
    neurons, channels, kernel, _ = weight.shape
    return sums.view(neurons, kernel, kernel, channels).permute(0, 3, 1, 2)


@dataclass
class Done:
    """What a protocol leaves: weights by layer, features of training and test images."""

    weights: dict[str, Tensor]
    features: list[Tensor]
    parts: list[Part]
