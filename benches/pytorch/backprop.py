"""Forward and backward pass with gradients of weight and input, and a step of SGD."""

import torch
import torch.nn.functional as F
from torch import Tensor

from problem import Problem

RATE = 1e-12
"""So small that the weight stays what it is."""

LAYOUTS = ("nchw", "channels_last")


class Backprop:
    """A layer as PyTorch trains it, in one memory layout."""

    def __init__(self, problem: Problem, layout: str) -> None:
        last = layout == "channels_last"
        self.layer = problem.layer
        self.x = (problem.x_last if last else problem.x).clone().requires_grad_()
        self.weight = (problem.weight_last if last else problem.weight).clone().requires_grad_()
        memory_format = torch.channels_last if last else torch.contiguous_format
        self.responses = problem.responses.contiguous(memory_format=memory_format)
        self.optimizer = torch.optim.SGD([self.weight], RATE)

    def step(self) -> tuple[Tensor, Tensor]:
        """The output and the weight's gradient, the responses being the gradient from above."""
        self.x.grad = None
        self.optimizer.zero_grad()
        output = F.conv2d(self.x, self.weight, stride=self.layer.stride, padding=self.layer.padding)
        output.backward(self.responses)
        self.optimizer.step()
        return output, self.weight.grad
