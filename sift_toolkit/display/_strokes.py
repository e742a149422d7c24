"""What tells one line or area of a chart from another: a colour, and always a mark beside it."""

from __future__ import annotations

from typing import Final, NamedTuple

_LIGHT: Final = {
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
}
"""Okabe and Ito's colours that have a contrast of 3 to 1 both on white and on black."""
_DARK: Final = {"blue": "#56B4E9", "vermilion": "#E69F00", "green": "#00B887", "purple": "#CC79A7"}
"""Their lighter ones, for a page that knows it is dark."""


def _properties(colors: dict[str, str]) -> str:
    return " ".join(f"--sift-{name}: {color};" for name, color in colors.items())


PALETTE_CSS: Final = (
    f":root {{ {_properties(_LIGHT)} }}\n"
    f"@media (prefers-color-scheme: dark) {{ :root {{ {_properties(_DARK)} }} }}"
)
"""For pages of our own; where it is missing, as in notebooks, the colours for both stand in."""

COLORS: Final = (*(f"var(--sift-{name},{color})" for name, color in _LIGHT.items()), "currentColor")
_DASHES: Final = ("", "7 3", "2 3", "9 3 2 3")
_MARKERS: Final = (
    '<circle cx="{x}" cy="{y}" r="2.8"{fill}/>',
    '<rect x="{x}" y="{y}" width="5" height="5" transform="translate(-2.5 -2.5)"{fill}/>',
    '<path d="M{x} {y}m0-3.4l3.2 5.6h-6.4z"{fill}/>',
    '<path d="M{x} {y}m0-3.6l3.6 3.6l-3.6 3.6l-3.6-3.6z"{fill}/>',
)


class Stroke(NamedTuple):
    """How one line is drawn."""

    color: str
    dash: str
    """As SVG's stroke-dasharray; empty: solid."""
    marker: int

    @property
    def line(self) -> str:
        """The attributes of a path."""
        dashed = f' stroke-dasharray="{self.dash}"' if self.dash else ""
        return f'fill="none" style="stroke:{self.color}" stroke-width="1.8"{dashed}'

    def mark(self, x: float, y: float) -> str:
        """Draw the marker at a point."""
        fill = f' style="fill:{self.color}"'
        return _MARKERS[self.marker].format(x=f"{x:.1f}", y=f"{y:.1f}", fill=fill)


def stroke_of(index: int) -> Stroke:
    """Return how the line of this number is drawn; twenty are all different."""
    return Stroke(
        COLORS[index % len(COLORS)],
        _DASHES[index % len(_DASHES)],
        # Turns more slowly than the dashes do, so that a dash comes back with another marker.
        (index + index // len(_DASHES)) % len(_MARKERS),
    )
