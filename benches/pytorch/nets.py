"""Whole networks: a Hebbian step of burn-hebbian's beside PyTorch's own backprop, on the same weights and images."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep

import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from clock import Time, now
from contest import PAUSE, Disagreement
from rules import TEMPERATURE, TINY
from rust_peer import RustPeer

CLASSES = 10

RULES = ("swta", "hpca")

CHECK_RATE = 0.1
"""Of the step after which weights are compared."""

TOLERANCE = 1e-4
"""Of a weight after that step, relative to the largest of its layer."""

CHECKED_PIXELS = 16 * 96 * 96
"""Of the images of that step, which takes seconds in double precision where they are large; at least `CHECKED` images."""

CHECKED = 4

SECONDS = 60.0
"""After which a network has been measured often enough, if it was at least `FEWEST` times."""

FEWEST = 3

LONG = 0.5
"""Seconds of a step that needs no other to warm up."""

RATE = 1e-6
"""Of the steps that are timed: weights stay what they are."""


@dataclass(frozen=True)
class Case:
    """A network and its batch."""

    name: str
    """In torchvision."""

    batch: int
    size: int

    def __str__(self) -> str:
        return f"{self.name}, {self.batch} × {self.size}²"

    @property
    def checked(self) -> int:
        """Images of the step whose weights are compared."""
        return min(self.batch, max(CHECKED, CHECKED_PIXELS // self.size**2))

    def net(self) -> nn.Module:
        """The network with its random weights, without dropout."""
        torch.manual_seed(0)
        net = torchvision.models.get_model(self.name, num_classes=CLASSES)
        for module in net.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        return net.train()

    def images(self, count: int) -> tuple[Tensor, Tensor]:
        """Normal images, and labels that go round."""
        generator = torch.Generator().manual_seed(1)
        return torch.randn(count, 3, self.size, self.size, generator=generator), torch.arange(count) % CLASSES


CASES = [
    Case("densenet121", 16, 64),
    Case("resnet18", 16, 64),
    Case("resnet50", 8, 224),
    Case("vgg11_bn", 2, 224),
    Case("vgg11_bn", 32, 224),
    Case("mobilenet_v2", 16, 96),
]


@dataclass
class Result:
    """The times of one network by name of the form, round by round; what steps need at their peak."""

    case: str
    layout: str = ""
    times: dict[str, list[Time]] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    apart: dict[str, str] = field(default_factory=dict)


class Twin:
    """A step of the Hebbian network as one writes it down, in double precision."""

    def __init__(self, net: nn.Module, rule: str, labels: Tensor) -> None:
        self.rule = rule
        self.labels = labels
        self.deltas: dict[nn.Module, Tensor] = {}
        layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        self.classifier = layers[-1]
        self.hooks = [layer.register_forward_hook(self._learn) for layer in layers]

    def _learn(self, layer: nn.Module, inputs: tuple[Tensor], _output: Tensor) -> None:
        (x,) = inputs
        if layer is self.classifier:
            self.deltas[layer] = teacher(x, layer.weight, self.labels)
            return
        if isinstance(layer, nn.Linear):
            patches, groups = x.T[None], 1  # [1, fan-in, n]
        else:
            groups = layer.groups
            columns = F.unfold(x, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
            fan_in = columns.shape[1] // groups
            patches = columns.unflatten(1, (groups, fan_in)).permute(1, 2, 0, 3).flatten(2)  # [groups, fan-in, patches]
        weight = layer.weight.flatten(1).unflatten(0, (groups, -1))  # [groups, neurons, fan-in]
        rule = oja if weight.shape[1] == 1 and groups > 1 else {"swta": swta, "hpca": hpca}[self.rule]
        delta = rule(patches, weight)
        self.deltas[layer] = delta.reshape(layer.weight.shape)

    def apply(self, rate: float) -> None:
        """Takes the step."""
        for hook in self.hooks:
            hook.remove()
        for layer, delta in self.deltas.items():
            layer.weight += rate * delta


def swta(x: Tensor, w: Tensor) -> Tensor:
    """`(Σ z² x − Σ z² w) / Σ z` of `z = softmax(((cos + 1) / 2)² / T)`."""
    norms = w.norm(dim=2, keepdim=True) * x.norm(dim=1, keepdim=True)
    z = torch.softmax((((w @ x) / norms.clamp_min(TINY) + 1) / 2) ** 2 / TEMPERATURE, 1)
    c = z * z
    return (c @ x.transpose(1, 2) - c.sum(2, keepdim=True) * w) / z.sum(2, keepdim=True).clamp_min(TINY)


def hpca(x: Tensor, w: Tensor) -> Tensor:
    """`Σ y (x − tril(y yᵀ) w) / patches / √fan-in`."""
    y = torch.relu(w @ x)
    gram = torch.tril(y @ y.transpose(1, 2))
    return (y @ x.transpose(1, 2) - gram @ w) / x.shape[2] / x.shape[1] ** 0.5


def oja(x: Tensor, w: Tensor) -> Tensor:
    """`Σ y (x − y w) / patches`: of a neuron that has none to compete with."""
    y = w @ x
    return (y @ x.transpose(1, 2) - (y * y).sum(2, keepdim=True) * w) / x.shape[2]


def teacher(x: Tensor, w: Tensor, labels: Tensor) -> Tensor:
    """The mean of `x − w` over the images of a class."""
    t = F.one_hot(labels, CLASSES).to(x.dtype)  # [n, classes]
    return (t.T @ x - t.sum(0)[:, None] * w) / t.sum(0)[:, None].clamp_min(TINY)


class Backprop:
    """Forward pass, cross-entropy, backward pass, SGD."""

    def __init__(self, case: Case, layout: str) -> None:
        memory = torch.channels_last if layout == "channels last" else torch.contiguous_format
        self.net = case.net().to(memory_format=memory)
        x, self.y = case.images(case.batch)
        self.x = x.contiguous(memory_format=memory)
        self.optimizer = torch.optim.SGD(self.net.parameters(), RATE)

    def step(self) -> None:
        """One step of training."""
        with torch.enable_grad():
            self.optimizer.zero_grad()
            F.cross_entropy(self.net(self.x), self.y).backward()
            self.optimizer.step()

    def forward(self) -> Tensor:
        """The forward pass alone, as in inference."""
        self.net.eval()
        output = self.net(self.x)
        self.net.train()
        return output

    def peak(self) -> int:
        """The bytes of a step at its peak, beyond weights and images: what its allocator says."""
        self.step()
        self.optimizer.zero_grad()
        with torch.profiler.profile(profile_memory=True) as profile:
            self.step()
        held, most = 0, 0
        for event in profile.profiler.kineto_results.events():
            if event.name() == "[memory]":
                held += event.nbytes()
                most = max(most, held)
        return most


def check(case: Case, peer: RustPeer, folder: Path, result: Result) -> None:
    """Compares the weights after a step of every rule with the twin's."""
    x, y = case.images(case.checked)
    before, batch, after = (folder / name for name in ("before.pt", "batch.safetensors", "after.pt"))
    torch.save(case.net().state_dict(), before)
    save_file({"x": x, "y": y.float()}, batch)
    peer.net(case.name, before, batch)
    for rule in RULES:
        net = case.net().double()
        twin = Twin(net, rule, y)
        net(x.double())
        twin.apply(CHECK_RATE)
        torch.save(net.float().state_dict(), after)
        apart, layer = peer.apart(rule, CHECK_RATE, after)
        result.apart[rule] = f"{apart:.1e} in {layer}"
        if not apart < TOLERANCE:
            raise Disagreement(f"{case}, {rule}: weights after a step differ by {apart:.1e} of the largest, in {layer}")


def run(case: Case, peer: RustPeer, folder: Path, rounds: int) -> Result:
    """Checks, chooses PyTorch's layout, measures in turns."""
    result = Result(str(case))
    check(case, peer, folder, result)
    x, y = case.images(case.batch)
    save_file({"x": x, "y": y.float()}, folder / "batch.safetensors")
    peer.net(case.name, folder / "before.pt", folder / "batch.safetensors")
    result.layout, side, seconds = fastest(case)
    repeats = 1 if seconds > LONG else 2
    forms: dict[str, Callable[[], Time]] = {
        "backprop": lambda: timed(side.step, repeats),
        **{f"our {rule}": lambda rule=rule: ours(peer, rule, repeats) for rule in RULES},
        "forward": lambda: timed(side.forward, 2),
        "our forward": lambda: ours(peer, "forward", 2),
    }
    result.peaks = {"backprop": side.peak(), **{f"our {rule}": peer.peak(rule) for rule in RULES}}
    started = perf_counter()
    for turn in range(rounds):
        if turn >= FEWEST and perf_counter() - started > SECONDS:
            break
        for name, time in forms.items():
            result.times.setdefault(name, []).append(time())
    return result


def fastest(case: Case) -> tuple[str, Backprop, float]:
    """PyTorch's backprop in the layout in which a step is shorter, and the seconds of that step."""
    chosen = None
    for layout in ("channels last", "channels first"):
        side = Backprop(case, layout)
        side.step()
        seconds = min(timed(side.step, 1).wall for _ in range(2))
        if chosen is None or seconds < chosen[2]:
            chosen = (layout, side, seconds)
    return chosen


def timed(work: Callable[[], object], repeats: int) -> Time:
    """The last of these runs; the others warm up."""
    for _ in range(repeats - 1):
        work()
    start = now(lambda: None)
    work()
    return now(lambda: None) - start


def ours(peer: RustPeer, work: str, repeats: int) -> Time:
    """One run of the peer, when PyTorch's threads sleep."""
    sleep(PAUSE)
    return peer.time(work, repeats)


def table(results: list[Result]) -> str:
    """Medians in milliseconds, the processor time's beside it; the median over rounds of a round's ratio; megabytes."""
    lines = [
        "| network | form | rounds | ms | processor, ms | threads busy | times faster than backprop | by processor time | MB | times leaner |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for form, times in result.times.items():
            wall, cpu = median([t.wall for t in times]) * 1e3, median([t.cpu for t in times]) * 1e3
            pairs = list(zip(result.times["backprop"], times, strict=True))
            ratio, by_cpu = median([b.wall / t.wall for b, t in pairs]), median([b.cpu / t.cpu for b, t in pairs])
            peak = result.peaks.get(form)
            memory = f"{peak / 1e6:.1f} | {result.peaks['backprop'] / peak:.2f}" if peak else " | "
            name = f"PyTorch's {form}" if not form.startswith("our") else form
            lines.append(
                f"| {result.case} | {name} | {len(times)} | {wall:.1f} | {cpu:.1f} | {cpu / wall:.2f} "
                f"| {ratio:.2f} | {by_cpu:.2f} | {memory} |"
            )
    return "\n".join(lines)


def median(values: list[float]) -> float:
    """The middle one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
