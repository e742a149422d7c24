"""Figures that a notebook shows, and that are saved, without pyplot.

Matplotlib is imported right here: import this module on use only.
"""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["Picture", "new_picture", "save_picture"]


class Picture(Figure):
    """A figure that a notebook shows without pyplot, which would pick a backend for the process."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def new_picture(width: float, height: float) -> Picture:
    """Return an empty figure, its sides in inches."""
    figure = Picture(figsize=(width, height), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_picture(figure: Figure, path: str | Path) -> None:
    """Save a figure as the kind of picture that the ending names; its folder is made."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
