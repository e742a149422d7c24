"""One rank of loops under Accelerate, started by torchrun: writes down what it was given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

sys.path.insert(0, str(Path(__file__).parents[3]))

from sift_toolkit import SiftConfig, SiftingDataloader
from sift_toolkit.errors import SiftUsageError
from sift_toolkit.integrations.accelerate import sift
from sift_toolkit.smart_sifting.dataloader.sift_dataloader import (
    SiftingDataloader as AwsDataloader,
)

ROWS, EPOCHS = 96, 3
FRESH = SiftConfig(keep=0.5, scores="fresh")
MEMORY = SiftConfig(keep=0.5)
NUMBERS = torch.arange(ROWS)
torch.manual_seed(0)
FEATURES, TARGETS = torch.randn(ROWS, 4), torch.randn(ROWS, 1)


class Stream(IterableDataset[Any]):
    """Rows without ids, which Accelerate has rank 0 read for all."""

    def __iter__(self) -> Any:
        return zip(FEATURES, TARGETS, NUMBERS, strict=True)


def loss(model: nn.Module, batch: list[Tensor]) -> Tensor:
    """Return one loss a sample."""
    return (model(batch[0]) - batch[1]).square().mean(1)


def rows() -> DataLoader[Any]:
    """Return all rows, shuffled, in batches of 8."""
    return DataLoader(TensorDataset(FEATURES, TARGETS, NUMBERS), batch_size=8, shuffle=True)


def given(loader: Any, accelerator: Accelerator, model: nn.Module) -> list[list[int]]:
    """Return the rows of each epoch, having trained on them."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    epochs = []
    for _ in range(EPOCHS):
        ids: list[int] = []
        for batch in loader:
            accelerator.backward(loader.reduce(loss(model, batch)))
            optimizer.step()
            optimizer.zero_grad()
            ids += batch[2].tolist()
        epochs.append(ids)
    return epochs


def refused(loader: Any) -> str:
    """Return what is said when an epoch begins."""
    try:
        iter(loader)
    except SiftUsageError as error:
        return str(error)
    return ""


def main(folder: Path) -> None:
    """Run each kind of loop."""
    torch.set_num_threads(1)
    accelerator = Accelerator(cpu=True)
    model = accelerator.prepare(nn.Linear(4, 1))
    own: Any = {"model": model, "loss_impl": loss}
    told: dict[str, Any] = {}
    for name, config in (("memory", MEMORY), ("fresh", FRESH)):
        loader = sift(
            accelerator.prepare(rows()), model=model, loss=loss, epochs=EPOCHS, config=config
        )
        told[f"{name} steps"] = loader.total_steps()
        told[name] = given(loader, accelerator, model)
    aws = AwsDataloader(sift_config=FRESH, orig_dataloader=accelerator.prepare(rows()), **own)
    told["aws steps"] = aws.total_steps(EPOCHS)
    told["aws"] = given(aws, accelerator, model)
    stream = accelerator.prepare(DataLoader(Stream(), batch_size=8))
    told["dispatched"] = given(
        sift(stream, model=model, loss=loss, config=FRESH), accelerator, model
    )
    wrong = SiftingDataloader(sift_config=FRESH, orig_dataloader=rows(), **own)
    told["refused"] = refused(accelerator.prepare(wrong))
    meant = SiftingDataloader(
        sift_config=FRESH, orig_dataloader=rows(), shares_samples=False, **own
    )
    told["meant"] = refused(meant)
    file = folder / f"{accelerator.process_index}.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
