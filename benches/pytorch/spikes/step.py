"""One step of a spiking layer in PyTorch: all time steps forward, integrate-and-fire neurons, pair STDP, bounds."""

from dataclasses import dataclass

import snntorch
import torch
from snntorch.functional.stdp_learner import stdp_conv2d_single_step, stdp_linear_single_step
from torch import Tensor, nn
from torch.nn import grad

TAU_PRE, TAU_POST = 10.0, 20.0
PLUS, MINUS = 1e-4, 1.2e-4


@dataclass(frozen=True)
class Layer:
    """A layer, its images and its time; a linear one has no kernel."""

    name: str
    inputs: tuple[int, ...]
    neurons: int
    kernel: int
    threshold: float
    steps: int

    @property
    def padding(self) -> int:
        """Outputs are as large as inputs."""
        return self.kernel // 2

    def module(self, weight: Tensor) -> nn.Module:
        """PyTorch's layer with this weight."""
        if self.kernel:
            layer = nn.Conv2d(self.inputs[0], self.neurons, self.kernel, padding=self.padding, bias=False)
        else:
            layer = nn.Linear(self.inputs[0], self.neurons, bias=False)
        layer.weight.data = weight.clone()
        return layer.to(weight.dtype)


LAYERS = [
    Layer("conv 2 → 32, 5 × 5, 28 × 28 pixels, 15 steps", (2, 28, 28), 32, 5, 16.0, 15),
    Layer("conv 32 → 64, 3 × 3, 14 × 14 pixels, 15 steps", (32, 14, 14), 64, 3, 64.0, 15),
    Layer("linear 784 → 400, 100 steps", (784,), 400, 0, 256.0, 100),
]


@dataclass(frozen=True)
class Problem:
    """A layer with spikes `[steps, images, ..]` and a weight: numbers with which potentials are exact in single precision."""

    layer: Layer
    x: Tensor
    weight: Tensor

    @classmethod
    def random(cls, layer: Layer, images: int) -> "Problem":
        """A tenth of the inputs spikes; weights are multiples of 1/256 in 0..1."""
        generator = torch.Generator().manual_seed(0)
        x = (torch.rand(layer.steps, images, *layer.inputs, generator=generator) < 0.1).float()
        kernel = (layer.kernel,) * 2 if layer.kernel else ()
        shape = (layer.neurons, layer.inputs[0], *kernel)
        return cls(layer, x, torch.randint(0, 257, shape, generator=generator) / 256)

    def double(self) -> "Problem":
        """The same in twice the precision."""
        return Problem(self.layer, self.x.double(), self.weight.double())


@torch.no_grad()
def fired(problem: Problem, module: nn.Module) -> Tensor:
    """The spikes of snnTorch's neurons, from one call of the layer for all steps."""
    x = problem.x
    neuron = snntorch.Leaky(beta=1.0, threshold=problem.layer.threshold, reset_mechanism="subtract").to(x.dtype)
    currents = module(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    potential, spikes = neuron.reset_mem(), []
    for current in currents:
        spike, potential = neuron(current, potential)
        spikes.append(spike)
    return torch.stack(spikes)


@torch.no_grad()
def snntorch_step(problem: Problem) -> tuple[Tensor, Tensor]:
    """snnTorch's own learner, step by step: spikes, and the weight after them."""
    module = problem.layer.module(problem.weight)
    spikes = fired(problem, module)
    learn = stdp_conv2d_single_step if problem.layer.kernel else stdp_linear_single_step
    pre = post = None
    change = torch.zeros_like(module.weight)
    for x, spike in zip(problem.x, spikes):
        pre, post, delta = learn(module, x, spike, pre, post, TAU_PRE, TAU_POST, lambda _: MINUS, lambda _: PLUS)
        change += delta
    return spikes, module.weight.add_(change).clamp_(0, 1)


@torch.no_grad()
def folded_step(problem: Problem) -> tuple[Tensor, Tensor]:
    """The same by hand: traces along time, then one weight gradient over time × images."""
    module = problem.layer.module(problem.weight)
    spikes = fired(problem, module)
    inputs = torch.cat([traces(problem.x, TAU_PRE), problem.x]).flatten(0, 1)
    coefficients = torch.cat([PLUS * spikes, -MINUS * traces(spikes, TAU_POST)]).flatten(0, 1)
    if problem.layer.kernel:
        shape, padding = module.weight.shape, problem.layer.padding
        change = grad.conv2d_weight(inputs, shape, coefficients, padding=padding)
    else:
        change = coefficients.T @ inputs
    return spikes, module.weight.add_(change).clamp_(0, 1)


def traces(spikes: Tensor, tau: float) -> Tensor:
    """What is left of the spikes after each step."""
    trace, all_of_them = torch.zeros_like(spikes[0]), []
    for spike in spikes:
        trace = trace * (1 - 1 / tau) + spike
        all_of_them.append(trace)
    return torch.stack(all_of_them)
