"""AWS's callback that logs how a Lightning training sifts."""

from __future__ import annotations

from sift_toolkit.integrations.lightning import SiftingCallback

__all__ = ["TrainingMetricsRecorder"]


class TrainingMetricsRecorder(SiftingCallback):
    """Gives the metrics of a sifted loader to the trainer's loggers, as ``sift/kept_share``.

    It is also what makes the Trainer take such a loader for what it is: each process has its own
    part of the data, the schedule ends with the last step. Harmless where nothing is sifted.
    """

    def __init__(self) -> None:
        super().__init__()
