"""Sifting in the trainers of frameworks."""
