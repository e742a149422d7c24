"""How to sift, in AWS's words."""
