"""A script for AWS's smart sifting, of the shape of its Lightning sample: BERT, two processes.

The data module returns a sifted loader; the loss calls the LightningModule with the whole batch
and reads its `logits`; the schedule asks the Trainer for the number of steps.
"""

import keyword
import sys

import lightning.pytorch as pl
import torch
from smart_sifting.dataloader.sift_dataloader import SiftingDataloader
from smart_sifting.loss.abstract_sift_loss_module import Loss
from smart_sifting.metrics.lightning import TrainingMetricsRecorder
from smart_sifting.sift_config.sift_configs import (
    LossConfig,
    RelativeProbabilisticSiftConfig,
    SiftingBaseConfig,
)
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import BertConfig, BertForSequenceClassification, get_linear_schedule_with_warmup

LENGTH = 12


def sentences():
    """Python's keywords among other names of its library: spell them, say which they are."""
    words = sorted(set(keyword.kwlist) | set(sys.stdlib_module_names))[:240]
    ids = torch.zeros(len(words), LENGTH, dtype=torch.long)
    for row, word in enumerate(words):
        letters = [ord(letter) % 60 + 1 for letter in word[:LENGTH]]
        ids[row, : len(letters)] = torch.tensor(letters)
    labels = torch.tensor([int(word in keyword.kwlist) for word in words])
    return TensorDataset(ids, (ids > 0).long(), labels)


class SentenceLoss(Loss):
    def loss(self, model, transformed_batch, original_batch=None):
        labels = transformed_batch[2]
        outputs = model(transformed_batch)
        return nn.functional.cross_entropy(outputs.logits, labels, reduction="none")


class Sentences(pl.LightningDataModule):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def train_dataloader(self):
        config = RelativeProbabilisticSiftConfig(
            beta_value=1,
            loss_history_length=500,
            loss_based_sift_config=LossConfig(sift_config=SiftingBaseConfig(sift_delay=4)),
        )
        return SiftingDataloader(
            sift_config=config,
            orig_dataloader=DataLoader(sentences(), batch_size=12, shuffle=True),
            loss_impl=SentenceLoss(),
            model=self.model,
        )

    def val_dataloader(self):
        return DataLoader(sentences(), batch_size=48)


class Classifier(pl.LightningModule):
    def __init__(self):
        super().__init__()
        config = BertConfig(
            vocab_size=64,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=LENGTH,
        )
        self.bert = BertForSequenceClassification(config)

    def forward(self, batch):
        ids, mask, labels = batch
        return self.bert(ids, attention_mask=mask, labels=labels)

    def training_step(self, batch, batch_idx):
        outputs = self(batch)
        self.log("train_loss", outputs.loss)
        return outputs.loss

    def validation_step(self, batch, batch_idx):
        outputs = self(batch)
        right = (outputs.logits.argmax(dim=1) == batch[2]).float().mean()
        self.log("accuracy", right, sync_dist=True)

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        self.steps = self.trainer.estimated_stepping_batches
        scheduler = get_linear_schedule_with_warmup(optimizer, 0, self.steps)
        return [optimizer], [{"scheduler": scheduler, "interval": "step"}]


torch.set_num_threads(1)
pl.seed_everything(0)
model = Classifier()
trainer = pl.Trainer(
    accelerator="cpu",
    devices=2,
    strategy="ddp",
    max_epochs=2,
    callbacks=[TrainingMetricsRecorder()],
    default_root_dir=sys.argv[1],
    log_every_n_steps=1,
)
trainer.fit(model, Sentences(model))
rate = trainer.optimizers[0].param_groups[0]["lr"]
if trainer.is_global_zero:
    print(f"steps: {trainer.global_step} of {model.steps}, rate: {rate}")
