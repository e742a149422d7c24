"""Trains the hooks module that a job names: model, data, loss, optimizer."""

from sift_toolkit.container import train_entry

if __name__ == "__main__":
    train_entry()
