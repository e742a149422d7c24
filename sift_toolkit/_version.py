"""The version of this package: here and nowhere else.

Read where the package is built, where an image is labelled, and in a plain copy of the folder.
"""

__version__ = "0.1.0"
