"""AWS's exceptions, each also the one that this package raises there."""

from sift_toolkit.errors import SiftBatchError, SiftConfigError, SiftLossError


class SiftConfigValidationException(SiftConfigError):  # noqa: N818 - AWS's name
    """A sift config lacks a key or holds a value of a wrong type; `problems` holds them all."""


class UnsupportedDataFormatException(SiftBatchError):  # noqa: N818 - AWS's name
    """A batch is of a type that needs a `SiftingBatchTransform`, or what one returned is none."""


class LossImplementationNotProvidedException(SiftLossError):  # noqa: N818 - AWS's name
    """There is no loss, or it is a `Loss` whose method `loss` is not written."""
