"""The layers that are compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A square convolution without bias; a linear layer is one tap on one position."""

    name: str
    channels: int
    neurons: int
    kernel: int
    size: int
    stride: int = 1
    padding: int = 0

    @property
    def fan_in(self) -> int:
        """Inputs of a neuron."""
        return self.channels * self.kernel**2

    @property
    def out(self) -> int:
        """Height and width of the output."""
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def is_linear(self) -> bool:
        """Whether the layer is a matrix on vectors."""
        return self.kernel == 1 and self.size == 1

    def __str__(self) -> str:
        if self.is_linear:
            return f"{self.name} {self.channels}→{self.neurons}"
        return f"{self.name} {self.channels}→{self.neurons} k{self.kernel} {self.size}²"


NETS: dict[str, list[Layer]] = {
    # Lagani 2019: the four convolutions
    "six-layer": [
        Layer("conv1", 3, 96, 5, 32),
        Layer("conv2", 96, 128, 3, 14),
        Layer("conv3", 128, 192, 3, 12),
        Layer("conv4", 192, 256, 3, 5),
    ],
    # and the hidden layer on top of them, as in the thesis and as in FastHebb
    "six-layer-linear": [
        Layer("fc5", 2304, 300, 1, 1),
        Layer("fc5-wide", 2304, 4096, 1, 1),
    ],
    # Journé et al. 2023
    "softhebb": [
        Layer("conv1", 3, 96, 5, 32, padding=2),
        Layer("conv2", 96, 384, 3, 16, padding=1),
        Layer("conv3", 384, 1536, 3, 8, padding=1),
    ],
    # VGG-11 on images of 224²
    "vgg11": [
        Layer("conv1", 3, 64, 3, 224, padding=1),
        Layer("conv2", 64, 128, 3, 112, padding=1),
        Layer("conv3", 128, 256, 3, 56, padding=1),
        Layer("conv4", 256, 256, 3, 56, padding=1),
        Layer("conv5", 256, 512, 3, 28, padding=1),
        Layer("conv6", 512, 512, 3, 28, padding=1),
        Layer("conv7", 512, 512, 3, 14, padding=1),
    ],
}
