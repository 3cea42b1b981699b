"""SoftHebb's unsupervised epoch and the features for its classifier, in PyTorch (Journé et al. 2023)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pictures import PARTS, Part, read
from rust_peer import RustPeer
from stages import Clock, Done, Form, correlate, fastest, mapped, patch_rows, respond, seconds

BATCH = 10

SEED = 0

CHUNKS = (50, 250)
"""Images of which features may be computed at a time; the faster is taken."""


@dataclass(frozen=True)
class Layer:
    """A convolution with what the paper sets for it."""

    channels: int
    neurons: int
    kernel: int
    inverse_temperature: float
    power: float
    rate: float
    size: int
    """Height and width of its input."""


LAYERS = (
    Layer(3, 96, 5, 1.0, 0.7, 0.08, 32),
    Layer(96, 384, 3, 0.65, 1.4, 0.005, 16),
    Layer(384, 1536, 3, 0.25, 1.0, 0.01, 8),
)


class Net(nn.Module):
    """The parameters by the names that burn-hebbian's model has."""

    def __init__(self) -> None:
        super().__init__()
        for number, layer in enumerate(LAYERS, start=1):
            setattr(self, f"bn{number}", nn.BatchNorm2d(layer.channels, affine=False))
            conv = nn.Conv2d(layer.channels, layer.neurons, layer.kernel, bias=False)
            nn.init.normal_(conv.weight, std=25 / (layer.channels * layer.kernel**2) ** 0.5)
            setattr(self, f"conv{number}", conv)
        self.classifier = nn.Linear(16 * LAYERS[-1].neurons, 10)


def compete(u: Tensor, inverse_temperature: float) -> tuple[Tensor, Tensor]:
    """`c`, softmax with a minus for losers, and `Σ c u` of every neuron, in as few passes as eager PyTorch needs."""
    c = torch.softmax(u * inverse_temperature, 1)
    c = torch.where(c == c.amax(1, keepdim=True), c, -c)
    return c, torch.einsum("nkhw,nkhw->k", c, u)


def plain_compete(u: Tensor, inverse_temperature: float) -> tuple[Tensor, Tensor]:
    """The same for a compiler to fuse."""
    score = u * inverse_temperature
    largest = score.amax(1, keepdim=True)
    powers = torch.exp(score - largest)
    share = powers / powers.sum(1, keepdim=True)
    c = torch.where(score == largest, share, -share)
    return c, (c * u).sum((0, 2, 3))


def triangle(u: Tensor, power: float) -> Tensor:
    """`max(u − mean over neurons, 0)^power`."""
    above = (u - u.mean(1, keepdim=True)).relu_()
    return above if power == 1.0 else above.pow_(power)


def plain_triangle(u: Tensor, power: float) -> Tensor:
    """The same for a compiler to fuse."""
    return torch.relu(u - u.mean(1, keepdim=True)) ** power


@cache
def compiled(function: Callable) -> Callable:
    """As one kernel."""
    return torch.compile(function, dynamic=False)


class Training:
    """Weights and running statistics, and a step in one of its forms."""

    def __init__(self, state: dict[str, Tensor], form: Form, dtype: torch.dtype = torch.float32) -> None:
        self.form = form
        self.weights = [
            state[f"conv{n}.weight"].to(dtype).clone().contiguous(memory_format=form.memory) for n in (1, 2, 3)
        ]
        self.running = [[state[f"bn{n}.running_{of}"].to(dtype).clone() for of in ("mean", "var")] for n in (1, 2, 3)]
        self.compete = compiled(plain_compete) if form.compiled else compete
        self.triangle = compiled(plain_triangle) if form.compiled else triangle

    def named(self) -> dict[str, Tensor]:
        """The weights by the names that burn-hebbian has for them."""
        return {f"conv{number}": weight for number, weight in enumerate(self.weights, start=1)}

    def step(self, x: Tensor) -> None:
        """All layers learn from what the layers below them hand on."""
        x = x.contiguous(memory_format=self.form.memory)
        deltas = []
        for number, layer in enumerate(LAYERS):
            x, delta = self.learn(number, x)
            deltas.append(delta.mul_(layer.rate))
        for weight, delta in zip(self.weights, deltas, strict=True):
            weight += delta

    def learn(self, number: int, x: Tensor) -> tuple[Tensor, Tensor]:
        """What a layer hands on, and its update."""
        layer, weight, product = LAYERS[number], self.weights[number], self.form.products[number]
        x = F.batch_norm(x, *self.running[number], training=True)
        x = F.pad(x, [layer.kernel // 2] * 4, mode="reflect")
        patches = patch_rows(x, layer.kernel) if "patches" in product else None
        u = respond(x, weight, patches if product[0] == "patches" else None)
        c, decay = self.compete(u, layer.inverse_temperature)
        delta = correlate(c, x, weight, patches if product[1] == "patches" else None)
        delta -= decay.view(-1, 1, 1, 1) * weight
        delta /= delta.abs().max().clamp_min(1e-30)
        delta *= ((weight.flatten(1).norm(dim=1) - 1).abs() + 1e-10).sqrt().view(-1, 1, 1, 1)
        return self.pooled(number, u), delta

    def features(self, x: Tensor) -> Tensor:
        """`[n, 1536, 4, 4]` by the running statistics."""
        x = x.contiguous(memory_format=self.form.memory)
        for number, layer in enumerate(LAYERS):
            x = F.batch_norm(x, *self.running[number], training=False)
            x = F.pad(x, [layer.kernel // 2] * 4, mode="reflect")
            x = self.pooled(number, F.conv2d(x, self.weights[number]))
        return x

    def pooled(self, number: int, u: Tensor) -> Tensor:
        """Triangle and pool."""
        y = self.triangle(u, LAYERS[number].power)
        return F.max_pool2d(y, 4, 2, 1) if number < 2 else F.avg_pool2d(y, 2)


class SoftHebb:
    """The protocol: everything from the files to the features."""

    name = "softhebb"
    title = "SoftHebb, unsupervised epoch and features"
    checked = (50, 20)
    """Training and test images of the check: five batches."""
    timed = (2000, 500)

    def __init__(self, threads: int, compilers: bool) -> None:
        torch.manual_seed(0)
        self.threads = threads
        self.state = Net().state_dict()
        self.form, self.chunk = self._fastest(compilers)

    def _fastest(self, compilers: bool) -> tuple[Form, int]:
        x = torch.rand(BATCH, 3, 32, 32)
        forms = []
        for compiling in (False, True)[: 1 + compilers]:
            forms.append(Form(False, compiling))
            forms.append(Form(True, compiling, self._products(Form(True, compiling))))
        form = fastest({form: (lambda t=Training(self.state, form): t.step(x)) for form in forms})
        training = Training(self.state, form)
        chunks = {n: (lambda x=torch.rand(n, 3, 32, 32): training.features(x)) for n in CHUNKS}
        return form, min(CHUNKS, key=lambda n: seconds(chunks[n]) / n)

    def _products(self, form: Form) -> tuple:
        """The fastest for each layer."""
        found = []
        for number, layer in enumerate(LAYERS):
            x = torch.rand(BATCH, layer.channels, layer.size, layer.size)
            x = x.contiguous(memory_format=form.memory)
            ways = [form.with_product(number, product) for product in Form.PRODUCTS]
            trainings = {way: Training(self.state, way) for way in ways}
            way = fastest({way: (lambda t=t, n=number: t.learn(n, x)) for way, t in trainings.items()})
            found.append(way.products[number])
        return tuple(found)

    def fits(self, folder: Path, peer: RustPeer) -> list[Path]:
        """Nothing is fitted to the images."""
        return []

    def run(self, folder: Path) -> tuple[Clock, Done]:
        """From the files to the features."""
        clock = Clock()
        parts = [read(folder / part, self.threads) for part in PARTS]
        clock.end("reading")
        net = trained(Training(self.state, self.form), parts[0])
        clock.end("learning")
        features = [mapped(part.images, self.chunk, net.features) for part in parts]
        clock.end("features")
        return clock, Done(net.named(), features, parts)

    def twin(self, folder: Path) -> Done:
        """In double precision, as one writes it down."""
        parts = [read(folder / part, self.threads) for part in PARTS]
        for part in parts:
            part.images = part.images.double()
        net = trained(Training(self.state, Form(False, False), torch.float64), parts[0])
        return Done(net.named(), [mapped(part.images, BATCH, net.features) for part in parts], parts)

    def untrained(self, done: Done) -> list[Tensor]:
        """Features of the weights that training starts from, with the statistics of its norms."""
        net = trained(Training(self.state, self.form), done.parts[0], learns=False)
        return [mapped(part.images, self.chunk, net.features) for part in done.parts]


def trained(net: Training, part: Part, learns: bool = True) -> Training:
    """After the epoch; without learning, norms alone have seen it."""
    kept = [weight.clone() for weight in net.weights]
    for places in part.batches(BATCH, SEED, 1):
        net.step(part.images[places])
        if not learns:
            net.weights = [weight.clone() for weight in kept]
    return net
