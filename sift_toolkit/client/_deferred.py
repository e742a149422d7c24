"""Values that are only known later: the variables of a SageMaker pipeline."""

from __future__ import annotations

_BASES = frozenset({"Expression", "PipelineVariable"})


def is_deferred(value: object) -> bool:
    """Whether *value* is a pipeline variable, which no check can look into.

    Told by the name of a base class, so that the checks need no SDK and serve each version of it.
    """
    return any(
        base.__name__ in _BASES and base.__module__.startswith("sagemaker")
        for base in type(value).__mro__
    )
