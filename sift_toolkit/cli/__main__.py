"""``python -m sift_toolkit.cli``, for where the console script is not on the path."""

from sift_toolkit.cli import main

main()
