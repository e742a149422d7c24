"""The loss that samples are judged by."""
