"""The loader that sifts."""
