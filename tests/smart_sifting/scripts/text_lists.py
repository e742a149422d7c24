"""A script for AWS's smart sifting, of the shape of its text sample: lists of tensors.

The config is a dict; the loss is of a plain class, calls the model with the whole batch and reads
its `logits`.
"""

from types import SimpleNamespace

import torch
from smart_sifting.dataloader.sift_dataloader import SiftingDataloader
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 16)
        self.head = nn.Linear(16, 2)

    def forward(self, batch):
        ids, mask, _ = batch
        states = (self.words(ids) * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return SimpleNamespace(logits=self.head(states))


class SentenceLoss:
    def loss(self, model, transformed_batch, original_batch=None):
        labels = transformed_batch[2]
        outputs = model(transformed_batch)
        return nn.functional.cross_entropy(outputs.logits, labels, reduction="none")


torch.manual_seed(0)
ids = torch.randint(50, (240, 12))
data = TensorDataset(ids, torch.ones(240, 12), (ids[:, 0] > 25).long())
model = Classifier()
loader = SiftingDataloader(
    sift_config={
        "beta_value": 1.0,
        "loss_history_length": 100,
        "loss_based_sift_config": {"sift_config": {"sift_delay": 5}},
    },
    orig_dataloader=DataLoader(data, batch_size=12, shuffle=True),
    loss_impl=SentenceLoss(),
    model=model,
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
print(f"steps: {len(loader)}")
for batch in loader:
    nn.functional.cross_entropy(model(batch).logits, batch[2]).backward()
    optimizer.step()
    optimizer.zero_grad()
