"""Sifting at home in Hugging Face's Trainer, Lightning and Accelerate.

Each module is imported by itself, and imports its framework only when it is used.
"""
