"""Writes weights and logits of PyTorch's models, for the test that Burn's compute the same.

    python write_weights.py                  # the small models, into weights/ beside this file
    python write_weights.py --full DIR       # torchvision's own models in full width, into DIR

Needs torch and torchvision. Of each model NAME it writes

    NAME.pt         the state dict
    NAME.json       the size of its images and its configuration here
    NAME.sample.pt  an input and its logits

Weights are random, running statistics, scales and shifts of batch norms too, so that no part of a model can be left out
unseen. Batch norm and dropout are in evaluation mode.
"""

import argparse
import json
import re
from pathlib import Path

import torch
from torch import nn
from torchvision.models import DenseNet, MobileNetV2, ResNet, VGG
from torchvision.models.mobilenetv2 import Conv2dNormActivation
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.models.vgg import make_layers

DEPTHS = {"vgg11": [1, 1, 2, 2, 2], "vgg16": [2, 2, 3, 3, 3]}
BLOCKS = {"resnet18": ("Basic", [2, 2, 2, 2]), "resnet50": ("Bottleneck", [3, 4, 6, 3])}


def vgg(name, classes, width=64, hidden=4096):
    """VGG; its width is in the list of its layers, that of the classifier is not."""
    depths = DEPTHS[name.removesuffix("_bn")]
    batch_norm = name.endswith("_bn")
    layers = []
    for depth, multiple in zip(depths, [1, 2, 4, 8, 8]):
        layers += [width * multiple] * depth + ["M"]
    net = VGG(make_layers(layers, batch_norm=batch_norm), num_classes=classes)
    flat = 8 * width * 7 * 7
    net.classifier[0] = nn.Linear(flat, hidden)
    net.classifier[3] = nn.Linear(hidden, hidden)
    net.classifier[6] = nn.Linear(hidden, classes)
    config = {
        "depths": depths,
        "classes": classes,
        "batch_norm": batch_norm,
        "channels": 3,
        "width": width,
        "hidden": hidden,
        "dropout": 0.5,
    }
    return net, {"Vgg": config}


class NarrowResNet(ResNet):
    """torchvision's ResNet with another width than 64."""

    def __init__(self, block, depths, classes, width):
        self.width = width
        super().__init__(block, depths, num_classes=classes)
        self.fc = nn.Linear(8 * width * block.expansion, classes)

    def _make_layer(self, block, planes, *args, **kwargs):
        if planes == 64:  # the first layer: what lies below it gets its width too
            self.inplanes = self.width
            self.conv1 = nn.Conv2d(3, self.width, 7, stride=2, padding=3, bias=False)
            self.bn1 = nn.BatchNorm2d(self.width)
        return super()._make_layer(block, planes * self.width // 64, *args, **kwargs)


def resnet(name, classes, width=64):
    kind, depths = BLOCKS[name]
    block = {"Basic": BasicBlock, "Bottleneck": Bottleneck}[kind]
    config = {"block": kind, "depths": depths, "classes": classes, "channels": 3, "width": width}
    return NarrowResNet(block, depths, classes, width), {"ResNet": config}


def densenet(name, classes, depths=(6, 12, 24, 16), width=64, growth=32, bottleneck=4):
    net = DenseNet(growth, depths, width, bottleneck, num_classes=classes)
    config = {
        "depths": list(depths),
        "classes": classes,
        "channels": 3,
        "width": width,
        "growth": growth,
        "bottleneck": bottleneck,
    }
    return net, {"DenseNet": config}


def mobilenet(name, classes, width_mult=1.0, divisor=8, head=1280):
    net = MobileNetV2(classes, width_mult=width_mult, round_nearest=divisor)
    if head != 1280:
        last = net.features[-1][0].in_channels
        net.features[-1] = Conv2dNormActivation(last, head, kernel_size=1, activation_layer=nn.ReLU6)
        net.classifier[1] = nn.Linear(head, classes)
    config = {
        "classes": classes,
        "channels": 3,
        "width_mult": width_mult,
        "divisor": divisor,
        "head": head,
        "dropout": 0.2,
    }
    return net, {"MobileNet": config}


class SoftHebb(nn.Module):
    """The layers of SoftHebb's net for CIFAR-10, in evaluation mode."""

    def __init__(self, classes, neurons, size):
        super().__init__()
        inputs = [3, *neurons[:2]]
        for i, (channels, count, kernel) in enumerate(zip(inputs, neurons, [5, 3, 3]), start=1):
            setattr(self, f"bn{i}", nn.BatchNorm2d(channels, affine=False))
            conv = nn.Conv2d(channels, count, kernel, padding="same", padding_mode="reflect", bias=False)
            setattr(self, f"conv{i}", conv)
        self.classifier = nn.Linear(neurons[2] * (size // 8) ** 2, classes)

    def forward(self, x):
        x = triangle(self.conv1(self.bn1(x)), 0.7)
        x = nn.functional.max_pool2d(x, 4, stride=2, padding=1)
        x = triangle(self.conv2(self.bn2(x)), 1.4)
        x = nn.functional.max_pool2d(x, 4, stride=2, padding=1)
        x = triangle(self.conv3(self.bn3(x)), 1.0)
        return self.classifier(nn.functional.avg_pool2d(x, 2).flatten(1))


def triangle(x, power):
    return (x - x.mean(dim=1, keepdim=True)).relu() ** power


class SixLayer(nn.Module):
    """The six-layer net of the thesis and of FastHebb as backprop trains it, in evaluation mode."""

    def __init__(self, classes, filters, hidden):
        super().__init__()
        first, second, third, fourth = filters
        self.conv1 = nn.Conv2d(3, first, 5, bias=False)
        self.conv2 = nn.Conv2d(first, second, 3, bias=False)
        self.conv3 = nn.Conv2d(second, third, 3, bias=False)
        self.conv4 = nn.Conv2d(third, fourth, 3, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(first), nn.BatchNorm2d(second)
        self.bn3, self.bn4 = nn.BatchNorm2d(third), nn.BatchNorm2d(fourth)
        self.fc5 = nn.Linear(fourth * 9, hidden, bias=False)
        self.bn5 = nn.BatchNorm1d(hidden)
        self.fc6 = nn.Linear(hidden, classes, bias=False)

    def forward(self, x):
        x = self.bn1(nn.functional.max_pool2d(nn.functional.relu(self.conv1(x)), 2))
        x = self.bn2(nn.functional.relu(self.conv2(x)))
        x = self.bn3(nn.functional.max_pool2d(nn.functional.relu(self.conv3(x)), 2))
        x = self.bn4(nn.functional.relu(self.conv4(x)))
        return self.fc6(self.bn5(nn.functional.relu(self.fc5(x.flatten(1)))))


def six_layer(name, classes, filters=(96, 128, 192, 256), hidden=300):
    config = {"classes": classes, "filters": list(filters), "hidden": hidden}
    return SixLayer(classes, filters, hidden), {"SixLayer": config}


def soft_hebb(name, classes, neurons=(96, 384, 1536), size=32):
    config = {
        "classes": classes,
        "channels": 3,
        "image_size": size,
        "neurons": list(neurons),
        "dropout": 0.5,
    }
    return SoftHebb(classes, list(neurons), size), {"SoftHebb": config}


# densenet_old has the names that the first versions of torchvision gave
SMALL = {
    "six_layer": lambda name: six_layer(name, 7, filters=(6, 8, 10, 12), hidden=20),
    "soft_hebb": lambda name: soft_hebb(name, 7, neurons=(6, 10, 12)),
    "vgg11": lambda name: vgg(name, 7, width=2, hidden=10),
    "vgg11_bn": lambda name: vgg(name, 7, width=2, hidden=10),
    "vgg16": lambda name: vgg(name, 7, width=2, hidden=10),
    "vgg16_bn": lambda name: vgg(name, 7, width=2, hidden=10),
    "resnet18": lambda name: resnet(name, 7, width=4),
    "resnet50": lambda name: resnet(name, 7, width=2),
    "densenet121": lambda name: densenet(name, 7, width=6, growth=2, bottleneck=2),
    "densenet_old": lambda name: densenet(name, 7, depths=(1, 2, 1, 1), width=6, growth=2),
    "mobilenet_v2": lambda name: mobilenet(name, 7, width_mult=0.1, divisor=2, head=20),
}

FULL = {
    "six_layer": lambda name: six_layer(name, 10),
    "six_layer_fast_hebb": lambda name: six_layer(name, 10, hidden=4096),
    "soft_hebb": lambda name: soft_hebb(name, 10),
    "vgg11": lambda name: vgg(name, 1000),
    "vgg16": lambda name: vgg(name, 1000),
    "vgg16_bn": lambda name: vgg(name, 1000),
    "resnet18": lambda name: resnet(name, 1000),
    "resnet50": lambda name: resnet(name, 1000),
    "densenet121": lambda name: densenet(name, 1000),
    "mobilenet_v2": lambda name: mobilenet(name, 1000),
}


def shake(net):
    """Random weights, statistics, scales and shifts, such that signals keep their size from layer to layer."""
    for module in net.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.normal_(0.0, 0.3)
            module.running_var.uniform_(0.5, 1.5)
            if module.affine:
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0.0, 0.2)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.normal_(0.0, (2 / fan_in) ** 0.5)
            if module.bias is not None:
                module.bias.normal_(0.0, 0.2)


def spread(net, images):
    """Centers the logits, if they have a bias, and sets their largest difference between two images to 1."""
    logits = net(images)
    last = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    scale = (logits[0] - logits[1]).abs().max()
    last.weight /= scale
    if last.bias is not None:
        last.bias -= logits.mean(dim=0)
        last.bias /= scale
    return net(images)


@torch.no_grad()
def write(name, build, size, folder):
    torch.manual_seed(0)
    net, config = build(name)
    shake(net)
    size = 32 if "SixLayer" in config else config.get("SoftHebb", {}).get("image_size", size)
    images = torch.randn(2, 3, size, size)
    logits = spread(net.eval(), images)
    weights = net.state_dict()
    if name == "densenet_old":
        weights = {re.sub(r"\.(norm|conv)([12])\.", r".\1.\2.", key): weights[key] for key in weights}
    torch.save(weights, folder / f"{name}.pt")
    torch.save({"images": images, "logits": logits}, folder / f"{name}.sample.pt")
    case = {"size": size, "model": config}
    (folder / f"{name}.json").write_text(json.dumps(case) + "\n")
    print(f"{name}: logits {logits.min():.3f} to {logits.max():.3f}")


def write_incomplete(folder):
    """SoftHebb's net with a layer under a wrong name."""
    weights = torch.load(folder / "soft_hebb.pt")
    weights["conv4.weight"] = weights.pop("conv2.weight")
    torch.save(weights, folder / "soft_hebb.incomplete.pt")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", type=Path, metavar="DIR", help="torchvision's full widths, into DIR")
    full = parser.parse_args().full
    folder = full or Path(__file__).parent / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    for name, build in (FULL if full else SMALL).items():
        write(name, build, 64 if full else 32, folder)
    if not full:
        write_incomplete(folder)


if __name__ == "__main__":
    main()
