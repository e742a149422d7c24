"""Tables and charts as HTML and SVG: pure functions, of the standard library only.

All text that goes in is escaped. Colours are Okabe and Ito's, told apart by any colour vision, and
never the only mark: lines have dashes and markers, areas have hatching. Ink is that of the text
around, so that everything reads on light and on dark.
"""

from sift_toolkit.display._bars import Bar, bar_chart
from sift_toolkit.display._figures import Figure, figures_html
from sift_toolkit.display._lines import Band, Line, line_chart
from sift_toolkit.display._stacks import Stack, stacked_bars
from sift_toolkit.display._strokes import PALETTE_CSS
from sift_toolkit.display._tables import Row, html_table, pairs_table
from sift_toolkit.display._thinning import thinned

__all__ = [
    "PALETTE_CSS",
    "Band",
    "Bar",
    "Figure",
    "Line",
    "Row",
    "Stack",
    "bar_chart",
    "figures_html",
    "html_table",
    "line_chart",
    "pairs_table",
    "stacked_bars",
    "thinned",
]
