"""A user's script of AWS's third kind: a Trainer, one call, nothing of this package named."""

import sys

import torch
from smart_sifting.dataloader.sift_dataloader import SiftingDataloader
from smart_sifting.integrations.trainer import enable_sifting
from smart_sifting.loss.abstract_sift_loss_module import Loss
from smart_sifting.sift_config.sift_configs import (
    LossConfig,
    RelativeProbabilisticSiftConfig,
    SiftingBaseConfig,
)
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments


class Sentences(Dataset):
    def __init__(self, count):
        generator = torch.Generator().manual_seed(0)
        self.words = torch.randint(1, 30, (count, 12), generator=generator)

    def __len__(self):
        return len(self.words)

    def __getitem__(self, row):
        words = self.words[row]
        return {
            "input_ids": words,
            "attention_mask": torch.ones_like(words),
            "labels": int(words[0] > 15),
        }


class TextLoss(Loss):
    def __init__(self):
        self.celoss = torch.nn.CrossEntropyLoss(reduction="none")

    def loss(self, model, transformed_batch, original_batch=None):
        labels = transformed_batch["labels"]
        outputs = model(
            input_ids=transformed_batch["input_ids"],
            attention_mask=original_batch["attention_mask"],
        )
        return self.celoss(outputs.logits.view(-1, 2), labels.view(-1))


class SiftingTrainer(Trainer):
    def get_train_dataloader(self):
        return SiftingDataloader(
            sift_config=sift_config,
            orig_dataloader=super().get_train_dataloader(),
            loss_impl=TextLoss(),
            model=self.model,
        )


sift_config = RelativeProbabilisticSiftConfig(
    beta_value=1,
    loss_history_length=100,
    loss_based_sift_config=LossConfig(sift_config=SiftingBaseConfig(sift_delay=5)),
)
torch.set_num_threads(1)
torch.manual_seed(0)
way, folder = sys.argv[1:]
arguments = TrainingArguments(
    output_dir=folder,
    per_device_train_batch_size=8,
    num_train_epochs=3,
    max_steps=15 if way == "subclass" else -1,
    report_to=[],
    save_strategy="no",
    use_cpu=True,
    disable_tqdm=True,
    dataloader_pin_memory=False,
)
kind = SiftingTrainer if way == "subclass" else Trainer
trainer = kind(
    model=BertForSequenceClassification(
        BertConfig(
            vocab_size=32,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            num_labels=2,
        )
    ),
    args=arguments,
    train_dataset=Sentences(96),
)
if way == "enable":
    enable_sifting(trainer, sift_config, loss=TextLoss(), set_epochs=True)
trainer.train()
print("steps:", trainer.state.global_step, "rate:", trainer.lr_scheduler.get_last_lr()[0])
