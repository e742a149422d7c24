"""Batches as they are sifted, and the way there and back."""
