"""The thesis' two epochs of the first convolution by hard winner-take-all, in PyTorch (Lagani 2019)."""

from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pictures import PARTS, Part, read
from rules import inverse_norm
from rust_peer import RustPeer
from stages import Clock, Done, Form, correlate, fastest, mapped, patch_rows, respond, weighted

EPOCHS = 2

BATCH = 64

SEED = 0

RATE = 0.1

KERNEL = 5

SMOOTHING = 0.1
"""Of the whitening."""

SCATTER = ("convolution", "scatter")
"""By PyTorch's convolution, and by adding every patch to the row of its winner."""


class Net(nn.Module):
    """The parameters by the names that burn-hebbian's six-layer net has."""

    def __init__(self) -> None:
        super().__init__()
        channels = [3, 96, 128, 192, 256]
        for number, kernel in enumerate([KERNEL, 3, 3, 3], start=1):
            conv = nn.Conv2d(channels[number - 1], channels[number], kernel, bias=False)
            setattr(self, f"conv{number}", conv)
            setattr(self, f"bn{number}", nn.BatchNorm2d(channels[number]))
        self.fc5 = nn.Linear(2304, 300, bias=False)
        self.bn5 = nn.BatchNorm1d(300)
        self.fc6 = nn.Linear(300, 10, bias=False)


class Whitening:
    """ZCA of standardized images, `(x − m) U (S + ε)^(−½) Uᵀ`."""

    def __init__(self, images: Tensor) -> None:
        self.channels = [of(images, (0, 2, 3)).view(1, -1, 1, 1) for of in (torch.mean, torch.std)]
        rows = self._standardized(images).flatten(1)
        self.mean = rows.mean(0)
        rows -= self.mean
        covariance = (rows.T @ rows / (len(rows) - 1)).double()
        variances, vectors = torch.linalg.eigh(covariance)
        scales = (variances.clamp_min(0) + SMOOTHING).rsqrt()
        self.exact = (vectors * scales) @ vectors.T
        self.matrix = self.exact.to(images.dtype)

    def apply(self, images: Tensor) -> Tensor:
        """White images, in their own precision."""
        rows = self._standardized(images).flatten(1).sub_(self.mean)
        matrix = self.exact if images.dtype == self.exact.dtype else self.matrix
        return (rows @ matrix).view_as(images)

    def _standardized(self, images: Tensor) -> Tensor:
        mean, deviation = self.channels
        return (images - mean).div_(deviation)


def compete(y: Tensor, inverse_weight: Tensor, inverse_patch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """1 for the winner of a patch, the wins of every neuron, cosines; in as few passes as eager PyTorch needs."""
    score = y.mul_(inverse_weight.view(1, -1, 1, 1))
    c = (score == score.amax(1, keepdim=True)).to(score.dtype)
    return c, c.sum((0, 2, 3)), score.mul_(inverse_patch)


def plain_compete(y: Tensor, inverse_weight: Tensor, inverse_patch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same for a compiler to fuse."""
    score = y * inverse_weight.view(1, -1, 1, 1)
    c = (score == score.amax(1, keepdim=True)).to(score.dtype)
    return c, c.sum((0, 2, 3)), score * inverse_patch


@cache
def compiled_compete():
    """As one kernel."""
    return torch.compile(plain_compete, dynamic=False)


class Training:
    """The weight and the norm's running statistics, and a step in one of its forms."""

    def __init__(self, state: dict[str, Tensor], form: Form, dtype: torch.dtype = torch.float32) -> None:
        self.form = form
        self.weight = state["conv1.weight"].to(dtype).clone().contiguous(memory_format=form.memory)
        self.running = [state[f"bn1.running_{of}"].to(dtype).clone() for of in ("mean", "var")]
        self.compete = compiled_compete() if form.compiled else compete

    def step(self, x: Tensor) -> None:
        """Every neuron moves towards the mean of the patches that it wins."""
        weight, (by_response, by_sum) = self.weight, self.form.products[0]
        x = x.contiguous(memory_format=self.form.memory)
        patches = patch_rows(x, KERNEL) if {by_response, by_sum} != {"convolution"} else None
        y = respond(x, weight, patches if by_response == "patches" else None)
        inverse_weight, inverse_patch = self._norms(x)
        if by_sum == "scatter":
            score = y.mul_(inverse_weight.view(1, -1, 1, 1))
            winners = score.argmax(1).flatten()
            wins = torch.bincount(winners, minlength=len(weight)).to(x.dtype)
            sums = x.new_zeros(len(weight), patches.shape[1])
            sums.scatter_add_(0, winners[:, None].expand_as(patches), patches)
            sums, cosine = weighted(sums, weight), score.mul_(inverse_patch)
        else:
            c, wins, cosine = self.compete(y, inverse_weight, inverse_patch)
            sums = correlate(c, x, weight, patches if by_sum == "patches" else None)
        won = (wins > 0).to(x.dtype).view(-1, 1, 1, 1)
        self._handed_on(cosine, training=True)
        self.weight += RATE * (sums / wins.clamp_min(1).view(-1, 1, 1, 1) - won * weight)

    def features(self, x: Tensor) -> Tensor:
        """`[n, 96, 14, 14]` by the running statistics."""
        inverse_weight, inverse_patch = self._norms(x)
        y = F.conv2d(x, self.weight)
        return self._handed_on(y.mul_(inverse_weight.view(1, -1, 1, 1)).mul_(inverse_patch), training=False)

    def _norms(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Inverse norms of weights and patches, the latter by a box sum over one channel."""
        energy = F.avg_pool2d(x.square().sum(1, keepdim=True), KERNEL, 1).mul_(KERNEL**2)
        return inverse_norm(self.weight.square().sum((1, 2, 3))), inverse_norm(energy)

    def _handed_on(self, cosine: Tensor, training: bool) -> Tensor:
        """Rectified, which after pooling takes a quarter of the time, pooled and normalized."""
        return F.batch_norm(F.max_pool2d(cosine, 2).relu_(), *self.running, training=training)


class Thesis:
    """The protocol: everything from the files to the weights."""

    name = "thesis"
    title = "thesis, two epochs of conv1 by hard WTA"
    checked = (120, 20)
    """Training and test images of the check: twice two batches."""
    timed = (9600, 1000)
    """Whole batches, so that nothing is compiled on the way."""

    def __init__(self, threads: int, compilers: bool) -> None:
        torch.manual_seed(0)
        self.threads = threads
        self.state = Net().state_dict()
        forms = []
        for compiled in (False, True)[: 1 + compilers]:
            forms.append(Form(False, compiled))
            forms += [Form(True, compiled, (product,)) for product in Form.PRODUCTS]
        forms += [Form(last, False, (SCATTER,)) for last in (False, True)]
        x = torch.randn(BATCH, 3, 32, 32)
        self.form = fastest({form: (lambda t=Training(self.state, form): t.step(x)) for form in forms})
        self.whitening: Whitening | None = None

    def fits(self, folder: Path, peer: RustPeer) -> list[Path]:
        """Fits the whitening of both sides, kept for all runs; the peer's file."""
        self.whitening = Whitening(read(folder / PARTS[0], self.threads).images)
        peer.whiten(folder)
        return [folder / "zca.safetensors"]

    def run(self, folder: Path) -> tuple[Clock, Done]:
        """From the files to the weights; features are for the check alone."""
        clock = Clock()
        training = read(folder / PARTS[0], self.threads)
        clock.end("reading")
        training.images = self.whitening.apply(training.images)
        clock.end("whitening")
        net = trained(Training(self.state, self.form), training)
        clock.end("learning")
        return clock, self._done(net, training, folder)

    def twin(self, folder: Path) -> Done:
        """In double precision, as one writes it down."""
        training = read(folder / PARTS[0], self.threads)
        training.images = self.whitening.apply(training.images.double())
        net = trained(Training(self.state, Form(False, False), torch.float64), training)
        return self._done(net, training, folder)

    def untrained(self, done: Done) -> list[Tensor]:
        """Features of the weights that training starts from, with the statistics of its norms."""
        net = trained(Training(self.state, self.form), done.parts[0], learns=False)
        return [mapped(part.images, BATCH, net.features) for part in done.parts]

    def _done(self, net: Training, training: Part, folder: Path) -> Done:
        test = read(folder / PARTS[1], self.threads)
        test.images = self.whitening.apply(test.images.to(training.images.dtype))
        parts = [training, test]
        return Done({"conv1": net.weight}, [mapped(part.images, BATCH, net.features) for part in parts], parts)


def trained(net: Training, part: Part, learns: bool = True) -> Training:
    """After both epochs; without learning, the norm alone has seen them."""
    kept = net.weight.clone()
    for epoch in range(1, EPOCHS + 1):
        for places in part.batches(BATCH, SEED, epoch):
            net.step(part.images[places])
            if not learns:
                net.weight = kept.clone()
    return net
