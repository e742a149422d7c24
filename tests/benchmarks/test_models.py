"""The nets of the learning benchmark take rows and give logits that can be learnt from."""

from __future__ import annotations

import pytest
import torch
from models import BagOfWords, Transformer, convolutional, perceptron
from torch import Tensor, nn

CLASSES = 7
WORDS = torch.tensor([[3, 4, 5, 0], [6, 0, 0, 0], [0, 0, 0, 0]])
NETS = {
    "convolutional": (lambda: convolutional(CLASSES), torch.zeros(3, 1, 28, 28)),
    "perceptron": (lambda: perceptron(5, CLASSES, 8), torch.zeros(3, 5)),
    "bag of words": (lambda: BagOfWords(9, CLASSES), WORDS),
    "transformer": (lambda: Transformer(9, CLASSES, 4), WORDS),
}


@pytest.mark.parametrize("name", NETS)
class TestNet:
    """What holds for each of them."""

    def test_it_gives_logits_and_gradients(self, name: str) -> None:
        """One logit a class and row, and a finite gradient for every weight."""
        make, inputs = NETS[name]
        net = make()
        logits = net(inputs)
        assert logits.shape == (3, CLASSES)
        nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2])).backward()
        for weight in net.parameters():
            assert weight.grad is not None
            assert weight.grad.isfinite().all()

    def test_it_is_initialised_from_the_global_seed(self, name: str) -> None:
        """The same seed makes the same weights, another one others."""
        make, _ = NETS[name]
        weights = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            weights.append(nn.utils.parameters_to_vector(make().parameters()))
        assert weights[0].equal(weights[1])
        assert not weights[0].equal(weights[2])


@pytest.mark.parametrize("net", [BagOfWords(9, CLASSES), Transformer(9, CLASSES, 4)])
def test_padding_plays_no_part(net: nn.Module) -> None:
    """A text's mean is that of its words; more padding behind it changes nothing."""
    net.eval()
    short, padded = torch.tensor([[3, 4]]), torch.tensor([[3, 4, 0, 0]])
    torch.testing.assert_close(net(short), net(padded))
    assert not net(short).equal(net(torch.tensor([[3, 5]])))


def test_only_the_convolutional_net_knows_its_batch() -> None:
    """It alone has BatchNorm, for the arms must treat partial batches alike."""

    def has_batch_norm(net: nn.Module) -> bool:
        return any(isinstance(module, nn.BatchNorm2d) for module in net.modules())

    assert {name for name, (make, _) in NETS.items() if has_batch_norm(make())} == {"convolutional"}


def test_images_of_a_batch_are_told_apart() -> None:
    """Every pixel reaches the logits."""
    image: Tensor = torch.zeros(2, 1, 28, 28).requires_grad_()
    convolutional(CLASSES)(torch.randn(2, 1, 28, 28) + image).square().sum().backward()
    assert image.grad is not None
    assert (image.grad != 0).all()
