"""What sifting saves, by the pace of the same run: the one definition of it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimeSpent:
    """What a part of a run took, and how many rows it took it for."""

    seen: float = 0.0
    kept: float = 0.0
    loaded: float = 0.0
    load_seconds: float = 0.0
    score_seconds: float = 0.0
    train_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.load_seconds + self.score_seconds + self.train_seconds

    @property
    def unsifted_seconds(self) -> float:
        """What the rows seen would have taken, had all been loaded and trained on at this pace.

        0 where the pace is not known.
        """
        if not (self.kept and self.loaded):
            return 0.0
        loading = self.load_seconds * self.seen / self.loaded
        return loading + self.train_seconds * self.seen / self.kept

    @property
    def saving(self) -> float:
        """Share of the time saved against training unsifted; below 0: sifting took longer."""
        unsifted = self.unsifted_seconds
        return 1 - self.seconds / unsifted if unsifted > 0 else 0.0

    def with_kept(self, share: float) -> TimeSpent:
        """Return what it would have been, had *share* of the rows kept been kept, at this pace."""
        # Where what is dropped was loaded as well, all is.
        load = share if self.loaded < self.seen else 1.0
        return dataclasses.replace(
            self,
            kept=self.kept * share,
            train_seconds=self.train_seconds * share,
            loaded=self.loaded * load,
            load_seconds=self.load_seconds * load,
        )
