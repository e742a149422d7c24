"""A script for AWS's smart sifting, of the shape of its vision sample: dict batches, a plain loop.

The model moves to its device after the loader was made; a custom transform goes through a list of
single pictures and back; the schedule is made from the length of the loader.
"""

import argparse
from typing import Any

import torch
from smart_sifting.data_model.data_model_interface import SiftingBatch, SiftingBatchTransform
from smart_sifting.data_model.list_batch import ListBatch
from smart_sifting.dataloader.sift_dataloader import SiftingDataloader
from smart_sifting.loss.abstract_sift_loss_module import Loss
from smart_sifting.sift_config.sift_configs import (
    LossConfig,
    RelativeProbabilisticSiftConfig,
    SiftingBaseConfig,
)
from torch import nn
from torch.utils.data import DataLoader


class ImageListBatchTransform(SiftingBatchTransform):
    def transform(self, batch: Any):
        inputs = []
        labels = []
        for i in range(len(batch["pixel_values"])):
            inputs.append(batch["pixel_values"][i])
            labels.append(batch["labels"][i])
        return ListBatch(inputs, labels)

    def reverse_transform(self, list_batch: ListBatch):
        if len(list_batch.inputs) == 0:
            return {"pixel_values": torch.empty(0), "labels": torch.empty(0)}
        return {
            "pixel_values": torch.stack(list_batch.inputs),
            "labels": torch.stack(list_batch.labels),
        }


class PictureLoss(Loss):
    def __init__(self):
        self.celoss = nn.CrossEntropyLoss(reduction="none")

    def loss(self, model, transformed_batch: SiftingBatch, original_batch: Any = None):
        device = next(model.parameters()).device
        pictures = torch.stack(transformed_batch.inputs).to(device)
        labels = torch.stack(transformed_batch.labels).to(device)
        return self.celoss(model(pictures), labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    args = parser.parse_args()

    torch.manual_seed(0)
    rows = [
        {"pixel_values": torch.randn(3, 8, 8) + label, "labels": torch.tensor(label)}
        for label in torch.randint(4, (256,)).tolist()
    ]
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4))
    loader = SiftingDataloader(
        sift_config=RelativeProbabilisticSiftConfig(
            beta_value=3,
            loss_history_length=500,
            loss_based_sift_config=LossConfig(
                sift_config=SiftingBaseConfig(sift_delay=10, repeat_delay_per_epoch=False)
            ),
        ),
        orig_dataloader=DataLoader(rows, batch_size=8, shuffle=True),
        batch_transforms=ImageListBatchTransform(),
        loss_impl=PictureLoss(),
        model=model,
        log_batch_data=False,
    )
    model.to("cpu")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    steps = 0
    for _ in range(args.epochs):
        expected = len(loader)
        before = steps
        for batch in loader:
            logits = model(batch["pixel_values"])
            loss = nn.functional.cross_entropy(logits, batch["labels"])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            steps += 1
        assert steps - before == expected, (steps - before, expected)
    print(f"steps: {steps}")


if __name__ == "__main__":
    main()
