"""The memory engine: samples are dropped before they are loaded, everything else is the user's."""

from __future__ import annotations

import collections
import itertools
import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Generator, Tensor
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from sift_toolkit.errors import SiftBatchError, SiftLossError, SiftUsageError
from sift_toolkit.sifting import SiftingDataloader


class Counting(Dataset[Any]):
    """Counts how often each row is loaded."""

    def __init__(self, rows: TensorDataset) -> None:
        self._rows = rows
        self.loaded: collections.Counter[int] = collections.Counter()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> Any:
        self.loaded[number] += 1
        return self._rows[number]


class CountingSampler(Sampler[int]):
    """Counts how often it is iterated."""

    def __init__(self, order: Any) -> None:
        self._order = order
        self.iterated = 0

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[int]:
        self.iterated += 1
        yield from self._order


def numbers_of(loader: SiftingDataloader, losses_of: Callable[[Tensor], Tensor]) -> list[list[int]]:
    """Hand back losses that follow from the rows' numbers; return the numbers of each batch."""
    batches = []
    for batch in loader:
        loader.reduce(losses_of(batch[2]))
        batches.append(batch[2].tolist())
    return batches


def kept(loader: SiftingDataloader, losses_of: Callable[[Tensor], Tensor]) -> set[int]:
    """Return the rows of an epoch."""
    return set(itertools.chain.from_iterable(numbers_of(loader, losses_of)))


def rising(numbers: Tensor) -> Tensor:
    """Give rows losses in the order of their numbers."""
    return numbers.float() / 100 + 0.1


def test_samples_are_dropped_before_they_are_loaded(toy: Any) -> None:
    """After a whole first epoch, exactly the kept rows are asked of the dataset, each once."""
    dataset = Counting(toy.rows(40))
    loader = toy.sifted(DataLoader(dataset, batch_size=8, shuffle=True), scores="memory")
    assert kept(loader, rising) == set(range(40))
    dataset.loaded.clear()
    second = kept(loader, rising)
    assert len(second) == 20
    assert dataset.loaded == dict.fromkeys(second, 1)
    counters = loader.state_dict()["meter"]
    assert (counters["loaded"], counters["scored"]) == (60, 0)


def test_the_hard_ones_are_kept(toy: Any) -> None:
    """At keep .25 the easiest tenth hardly comes, the hardest tenth nearly always."""
    loader = toy.sifted(
        toy.loader(40, shuffle=True),
        law="percentile",
        scores="memory",
        keep=0.25,
        rescore_every=1000,
    )
    kept(loader, rising)
    chosen = collections.Counter(
        itertools.chain.from_iterable(kept(loader, rising) for _ in range(40))
    )
    assert sum(chosen[number] for number in range(4)) < 10
    assert sum(chosen[number] for number in range(36, 40)) > 100


def test_the_first_epoch_is_the_plain_loaders(toy: Any) -> None:
    """In the same order, with the global generator moved just as far."""
    torch.manual_seed(3)
    expected = [batch[2].tolist() for batch in toy.loader(37, shuffle=True)]
    state = torch.get_rng_state()
    torch.manual_seed(3)
    loader = toy.sifted(toy.loader(37, shuffle=True), scores="memory")
    assert numbers_of(loader, rising) == expected
    assert torch.equal(torch.get_rng_state(), state)


def test_later_epochs_follow_the_users_order(toy: Any) -> None:
    """What is kept comes in the order in which the plain loader would have given it."""
    torch.manual_seed(3)
    inner = toy.loader(40, shuffle=True)
    list(inner)
    order = list(itertools.chain.from_iterable(batch[2].tolist() for batch in inner))
    torch.manual_seed(3)
    loader = toy.sifted(toy.loader(40, shuffle=True), scores="memory")
    numbers_of(loader, rising)
    second = list(itertools.chain.from_iterable(numbers_of(loader, rising)))
    assert second == [number for number in order if number in set(second)]


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_are_kept(toy: Any, context: str) -> None:
    """Persistent workers that load ahead, forked or spawned, in every epoch the same processes."""
    inner = toy.loader(
        40,
        shuffle=True,
        num_workers=2,
        persistent_workers=True,
        prefetch_factor=3,
        multiprocessing_context=context,
    )
    loader = toy.sifted(inner, scores="memory")
    assert kept(loader, rising) == set(range(40))
    workers = {process.pid for process in multiprocessing.active_children()}
    assert [len(kept(loader, rising)) for _ in range(2)] == [20, 20]
    assert {process.pid for process in multiprocessing.active_children()} == workers
    assert inner._iterator is None


def test_breaking_out_with_workers_that_load_ahead(toy: Any) -> None:
    """What they had loaded ahead is let go; losses of the next epoch find their own samples."""
    inner = toy.loader(40, shuffle=True, num_workers=2, persistent_workers=True)
    loader = toy.sifted(inner, scores="memory")
    kept(loader, rising)
    next(iter(loader))
    for batch in loader:
        loader.reduce(rising(batch[2]) + 5)
        learned = loader.state_dict()["engine"]["memory"]["losses"]
        assert torch.equal(learned[batch[2]], rising(batch[2]) + 5)


def first_of_each(samples: list[Any]) -> list[Tensor]:
    """Collate in a way of its own."""
    return [torch.stack(column) for column in zip(*samples, strict=True)]


def test_collate_generator_and_the_rest_are_kept(toy: Any) -> None:
    """The second DataLoader has what the user's had."""
    generator = Generator().manual_seed(1)
    inner = toy.loader(40, shuffle=True, collate_fn=first_of_each, generator=generator)
    loader = toy.sifted(inner, scores="memory")
    batch = next(iter(loader))
    assert type(batch) is list
    generator.manual_seed(1)
    assert torch.equal(next(iter(inner))[2], batch[2])


@pytest.mark.skipif(
    not torch.accelerator.is_available(), reason="without an accelerator nothing is pinned"
)
def test_pinning_is_kept(toy: Any) -> None:
    """Batches come in pinned memory."""
    loader = toy.sifted(toy.loader(40, pin_memory=True), scores="memory")
    assert next(iter(loader))[0].is_pinned()


@pytest.mark.parametrize("workers", [0, 2])
def test_the_users_sampler_is_iterated_once_an_epoch(toy: Any, workers: int) -> None:
    """However often the DataLoader asks its batch sampler for an iterator."""
    sampler = CountingSampler(range(40))
    loader = toy.sifted(toy.loader(40, sampler=sampler, num_workers=workers), scores="memory")
    for epoch in range(1, 4):
        kept(loader, rising)
        assert sampler.iterated == epoch


def test_a_distributed_sampler_follows_set_epoch(toy: Any) -> None:
    """The order of each epoch is the one its number gives, of this rank's share."""
    rows = toy.rows(40)
    sampler = DistributedSampler(rows, num_replicas=2, rank=1, seed=4)
    loader = toy.sifted(DataLoader(rows, batch_size=5, sampler=sampler), scores="memory")
    for epoch in (0, 1):
        loader.set_epoch(epoch)
        assert sampler.epoch == epoch
        expected = list(sampler)
        given = list(itertools.chain.from_iterable(numbers_of(loader, rising)))
        assert given == [number for number in expected if number in set(given)]
        assert len(given) == (20, 10)[epoch]


def test_a_sampler_with_replacement(toy: Any) -> None:
    """Rows that come twice in an epoch are remembered once, and counted as often as they come."""
    inner = toy.loader(
        40, sampler=WeightedRandomSampler([1.0] * 4 + [0.01] * 36, 80, replacement=True)
    )
    loader = toy.sifted(inner, scores="memory")
    torch.manual_seed(0)
    assert len(list(itertools.chain.from_iterable(numbers_of(loader, rising)))) == 80
    for _ in range(3):
        assert len(list(itertools.chain.from_iterable(numbers_of(loader, rising)))) == 40
    assert loader.state_dict()["meter"]["seen"] == 320


class Pairs:
    """A batch sampler that is no BatchSampler: it only gives batches."""

    def __init__(self, rows: int, size: int) -> None:
        self._order = list(range(rows))
        self._size = size

    def __iter__(self) -> Iterator[list[int]]:
        for start in range(0, len(self._order), self._size):
            yield self._order[start : start + self._size]


def test_a_custom_batch_sampler_of_even_batches(toy: Any) -> None:
    """Its size is found out, and its kept rows come in batches of that size."""
    inner = DataLoader(toy.rows(42), batch_sampler=Pairs(42, 5))
    loader = toy.sifted(inner, scores="memory")
    assert [len(batch) for batch in numbers_of(loader, rising)] == [5] * 8 + [2]
    assert [len(batch) for batch in numbers_of(loader, rising)] == [5, 5, 5, 5]
    assert loader.batch_size is None


def test_a_custom_batch_sampler_with_parts(toy: Any) -> None:
    """Length, batch size and drop_last are read from it."""

    class Own(BatchSampler):
        pass

    inner = DataLoader(
        toy.rows(42), batch_sampler=Own(SequentialSampler(range(42)), 5, drop_last=True)
    )
    loader = toy.sifted(inner, scores="memory")
    assert [len(batch) for batch in numbers_of(loader, rising)] == [5] * 8
    assert [len(numbers_of(loader, rising)) for _ in range(2)] == [4, 4]


class Budget:
    """Batches of a token budget: many short rows, or few long ones."""

    def __iter__(self) -> Iterator[list[int]]:
        yield list(range(16))
        yield list(range(16, 24))
        yield from ([start, start + 1] for start in range(24, 40, 2))


def test_batches_of_different_sizes_never_hold_more_than_they_may(toy: Any) -> None:
    """A row takes up its share of the batch it was meant for; nothing waits, nothing is lost."""
    inner = DataLoader(toy.rows(40), batch_sampler=Budget())
    loader = toy.sifted(inner, scores="memory")
    assert [len(batch) for batch in numbers_of(loader, rising)] == [16, 8] + [2] * 8
    for _ in range(4):
        batches = numbers_of(loader, rising)
        assert sum(map(len, batches)) == 20
        for batch in batches:
            filled = sum(1 / 16 if row < 16 else 1 / 8 if row < 24 else 1 / 2 for row in batch)
            assert filled <= 1.0001
    assert loader.state_dict()["meter"]["seen"] == 200


def test_batches_of_different_sizes_drop_what_fills_none(toy: Any) -> None:
    """With leftover="drop" the last one goes, unless it is full."""
    inner = DataLoader(toy.rows(40), batch_sampler=Budget())
    loader = toy.sifted(inner, scores="memory", leftover="drop", keep=0.4)
    kept(loader, rising)
    batches = numbers_of(loader, rising)
    counters = loader.state_dict()["meter"]
    assert counters["kept"] == 40 + sum(map(len, batches))
    assert counters["seen"] == counters["kept"] + counters["dropped"] == 80


@pytest.mark.parametrize("ahead", [1, 5])
@pytest.mark.parametrize("named", [False, True])
def test_losses_of_trainers_that_look_ahead_find_their_samples(
    toy: Any, ahead: int, named: bool
) -> None:
    """Losses that come back one or five batches late, in order or with their batch."""
    loader = toy.sifted(toy.loader(53, shuffle=True), scores="memory")
    for offset in (0.0, 10.0):
        waiting: collections.deque[Any] = collections.deque()
        done: list[int] = []
        iterator = iter(loader)
        for batch in itertools.chain(iterator, [None] * ahead):
            waiting.append(batch)
            if len(waiting) <= ahead:
                continue
            due = waiting.popleft()
            if due is not None:
                loader.reduce(rising(due[2]) + offset, due if named else None)
                done += due[2].tolist()
        learned = loader.state_dict()["engine"]["memory"]["losses"]
        rows = torch.tensor(done)
        assert torch.equal(learned[rows], rising(rows) + offset)
        assert len(done) == (53 if offset == 0 else 26)


def test_a_skipped_batch_is_passed_by_when_the_batch_is_named(toy: Any) -> None:
    """With `batch=` the losses are that batch's, whatever stayed out before it."""
    loader = toy.sifted(toy.loader(40), scores="memory")
    iterator = iter(loader)
    next(iterator)
    second = next(iterator)
    loader.reduce(rising(second[2]), second)
    learned = loader.state_dict()["engine"]["memory"]["losses"]
    assert learned.isfinite().nonzero().flatten().tolist() == second[2].tolist()


@pytest.mark.parametrize("visits", [1, 2, 4])
def test_a_sample_passed_over_is_chosen_in_the_end(toy: Any, visits: int) -> None:
    """After `rescore_every` visits without being chosen, the next one chooses it for certain."""
    loader = toy.sifted(toy.loader(48), scores="memory", keep=0.6, rescore_every=visits)
    kept(loader, lambda numbers: torch.where(numbers < 8, 0.001, 1.0) * (numbers + 1))
    missed = dict.fromkeys(range(48), 0)
    for _ in range(12):
        chosen = kept(loader, lambda numbers: torch.where(numbers < 8, 0.001, 1.0) * (numbers + 1))
        for number in missed:
            missed[number] = 0 if number in chosen else missed[number] + 1
            assert missed[number] <= visits


def test_unknown_samples_come_first(toy: Any) -> None:
    """When the first epoch is broken out of, the next one begins with what it left out."""
    loader = toy.sifted(toy.loader(40), scores="memory")
    for batch in itertools.islice(loader, 3):
        loader.reduce(rising(batch[2]))
    assert kept(loader, rising) >= set(range(24, 40))


def test_a_look_at_the_data_is_not_a_first_epoch(toy: Any) -> None:
    """After `next(iter(loader))` the training still sees its first epoch in full."""
    loader = toy.sifted(toy.loader(40), scores="memory", epochs=3)
    next(iter(loader))
    assert kept(loader, rising) == set(range(40))
    assert len(kept(loader, rising)) == 20


def test_explicit_memory_without_reduce_raises_naming_the_call(toy: Any) -> None:
    """At the second epoch, once it is clear that no losses come back."""
    loader = toy.sifted(scores="memory")
    list(loader)
    with pytest.raises(SiftUsageError, match=r"loss = loader\.reduce\(losses\)"):
        iter(loader)


def test_a_loop_that_always_breaks_out_is_found_too(toy: Any) -> None:
    """More than a look, and no losses: that is a training loop without reduce."""
    loader = toy.sifted(toy.loader(100), scores="memory")
    list(itertools.islice(loader, 10))
    with pytest.raises(SiftUsageError, match="reduce"):
        iter(loader)


def test_auto_turns_to_fresh_without_reduce_and_says_so_once(toy: Any) -> None:
    """The first epoch is whole, the later ones are scored; workers of the memory are let go."""
    notes: list[str] = []
    loader = toy.sifted(
        toy.loader(40, num_workers=1, persistent_workers=True), on_note=notes.append, gate="off"
    )
    assert [len(list(loader)) for _ in range(3)] == [5, 3, 3]
    assert notes == [
        "scores: memory, because the samples have ids and are seen more than once",
        "scores: fresh, because the training loop does not call loader.reduce(losses)",
    ]
    assert loader.total_steps(4) == 14


@pytest.mark.parametrize("policy", ["keep", "drop"])
def test_losses_that_are_not_finite_follow_the_policy(toy: Any, policy: str) -> None:
    """Kept for certain or left out, counted, and never part of a percentile."""
    loader = toy.sifted(scores="memory", nonfinite=policy, rescore_every=3, correction=1.0)

    def losses_of(numbers: Tensor) -> Tensor:
        losses = rising(numbers)
        losses[numbers == 5] = torch.nan
        losses[numbers == 17] = -torch.inf
        return losses

    kept(loader, losses_of)
    chosen = [kept(loader, losses_of) for _ in range(4)]
    expected = [policy == "keep"] * 3 + [True]
    assert [{5, 17} <= rows for rows in chosen] == expected
    assert [bool({5, 17} & rows) for rows in chosen] == expected
    assert [len(rows) for rows in chosen] == [20] * 4
    assert loader.state_dict()["meter"]["nonfinite"] == 2 + 2 * sum(expected)


def test_losses_that_are_not_finite_raise_in_their_own_step(toy: Any) -> None:
    """With nonfinite="raise" the step that has them raises."""
    loader = toy.sifted(scores="memory", nonfinite="raise")
    iterator = iter(loader)
    loader.reduce(rising(next(iterator)[2]))
    next(iterator)
    with pytest.raises(SiftLossError, match="2 training losses were NaN or infinite"):
        loader.reduce(torch.tensor([1.0, torch.nan, torch.inf, 1, 1, 1, 1, 1]))


def test_own_values_are_what_the_chance_follows(toy: Any) -> None:
    """With value="own" the rows of high value are kept, whatever their loss."""
    loader = toy.sifted(
        scores="memory", law="proportional", value="own", keep=0.25, rescore_every=1000
    )

    def epoch() -> set[int]:
        rows: list[int] = []
        for batch in loader:
            values = torch.where(batch[2] < 10, 5.0, 1e-6)
            loader.reduce(rising(batch[2]), values=values)
            rows += batch[2].tolist()
        return set(rows)

    epoch()
    assert epoch() == set(range(10))


@pytest.mark.parametrize(
    ("values", "words"),
    [(None, r"needs reduce\(losses, values=...\)"), (torch.ones(3), r"shape \(8,\).*got \(3,\)")],
)
def test_own_values_are_asked_for(toy: Any, values: Any, words: str) -> None:
    """Without them, or with too few, it is refused in words."""
    loader = toy.sifted(scores="memory", law="proportional", value="own")
    next(iter(loader))
    with pytest.raises(SiftLossError, match=words):
        loader.reduce(torch.ones(8), values=values)


def test_an_error_in_the_dataset_ends_the_epoch(toy: Any) -> None:
    """Nobody knows whose losses would come next: refused in words until the next iter()."""

    class Broken(Counting):
        broken = True

        def __getitem__(self, number: int) -> Any:
            if number == 20 and self.broken:
                msg = "row 20 cannot be read"
                raise OSError(msg)
            return super().__getitem__(number)

    dataset = Broken(toy.rows(40))
    loader = toy.sifted(DataLoader(dataset, batch_size=8), scores="memory")
    iterator = iter(loader)
    loader.reduce(rising(next(iterator)[2]))
    next(iterator)
    with pytest.raises(OSError, match="row 20"):
        next(iterator)
    with pytest.raises(SiftUsageError, match="iterate the loader again"):
        next(iterator)
    dataset.broken = False
    assert len(loader) == 3
    assert kept(loader, rising) <= set(range(8, 40))
    counters = loader.state_dict()["meter"]
    assert counters["seen"] == counters["kept"] + counters["dropped"] == 16 + 40


def halving(samples: list[Any]) -> Any:
    """Collate every other sample only."""
    return torch.utils.data.default_collate(samples[::2])


def test_a_collate_that_loses_rows_is_refused_in_words(toy: Any) -> None:
    """Otherwise losses would be given to the wrong samples."""
    loader = toy.sifted(toy.loader(collate_fn=halving), scores="memory")
    with pytest.raises(SiftBatchError, match="it was given 8 and returned 4"):
        next(iter(loader))


@pytest.mark.parametrize(
    ("sampler", "words"),
    [
        (["a", "b"], "needs a sampler of whole numbers"),
        ([0, 99], "needs ids from 0 to 39, the sampler gives 0 to 99"),
        ([-1, 3], "the sampler gives -1 to 3"),
    ],
)
def test_ids_that_are_no_positions_are_refused_in_words(
    toy: Any, sampler: list[Any], words: str
) -> None:
    """Whatever a sampler may give for datasets of other kinds."""
    loader = toy.sifted(toy.loader(sampler=sampler), scores="memory")
    with pytest.raises(SiftUsageError, match=words):
        next(iter(loader))


def test_an_empty_epoch_is_empty(toy: Any) -> None:
    """A sampler that gives nothing makes an epoch of no batches, again and again."""
    loader = toy.sifted(toy.loader(sampler=[]), scores="memory")
    assert [list(loader) for _ in range(3)] == [[], [], []]


def test_rows_wait_for_the_next_epoch_and_are_accounted_for(toy: Any) -> None:
    """With leftover="carry" no row is lost: seen = kept + dropped + waiting at every moment."""
    loader = toy.sifted(
        toy.loader(44, shuffle=True), scores="memory", keep=0.6, leftover="carry", epochs=9
    )
    for stop in (99, 99, 2, 0, 1, 99, 99):
        for place, batch in enumerate(loader):
            if place == stop:
                break
            loader.reduce(rising(batch[2]))
            check_accounts(loader)
        check_accounts(loader)


def check_accounts(loader: SiftingDataloader) -> None:
    """Hold the counters against the rows really held."""
    state = loader.state_dict()
    counters, plan = state["meter"], state["engine"]["plan"]
    held = state["engine"]["waiting"][0].numel() + (0 if plan is None else plan["carried"])
    assert counters["seen"] == counters["kept"] + counters["dropped"] + held


def test_ids_stuck_at_the_top_are_reported(toy: Any) -> None:
    """Rows whose loss stays among the highest however often they are trained on."""
    seen: list[Any] = []
    loader = toy.sifted(
        toy.loader(100, shuffle=True), law="percentile", scores="memory", listener=seen.append
    )
    epoch = 0

    def losses_of(numbers: Tensor) -> Tensor:
        # All but two rows are learned more and more.
        return torch.where((numbers == 3) | (numbers == 60), 6.0, rising(numbers) / epoch)

    for epoch in range(1, 7):  # noqa: B007 - the losses follow it
        kept(loader, losses_of)
    assert set(loader.stuck_ids()) == {3, 60}
    assert len(loader.stuck_ids(limit=1)) == 1
    assert loader.stuck_ids(times=200) == []
    assert set(seen[-1].stuck_ids) == {3, 60}
    assert seen[0].stuck_ids == []


def test_what_comes_without_a_choice_has_not_waited(toy: Any) -> None:
    """Rows of a delay that is repeated in each epoch are trained on, as chosen ones are."""
    loader = toy.sifted(
        toy.loader(40, shuffle=True),
        scores="memory",
        keep=0.25,
        sift_delay=2,
        repeat_delay_per_epoch=True,
    )
    for _ in range(6):
        chosen = sorted(kept(loader, rising))
        passed_over = loader.state_dict()["engine"]["memory"]["passed_over"]
        assert passed_over[chosen].tolist() == [0] * len(chosen)
    assert int(passed_over.max()) > 0


def test_what_was_chosen_and_dropped_goes_on_waiting(toy: Any) -> None:
    """Rows that fill no batch and are dropped were not trained on, and do not count as chosen."""
    loader = toy.sifted(
        toy.loader(31, shuffle=True, batch_size=16), scores="memory", keep=0.75, leftover="drop"
    )
    waits = [0] * 31
    for _ in range(8):
        # The first epoch's rest is left out too, and comes first in the second.
        chosen = set(kept(loader, rising))
        waits = [0 if number in chosen else wait + 1 for number, wait in enumerate(waits)]
        passed_over = loader.state_dict()["engine"]["memory"]["passed_over"].tolist()
        assert [a for a, b in zip(passed_over, waits, strict=True) if a != b] == []


def test_losses_of_a_step_ago_count_for_the_length(toy: Any) -> None:
    """A loop that breaks out at once is told the next length by all losses that came back."""
    loader = toy.sifted(toy.loader(96), scores="memory", keep=0.9, nonfinite="drop")
    for number, batch in enumerate(loader):
        losses = torch.rand(len(batch[2]))
        losses[batch[2] < 40] = torch.nan
        loader.reduce(losses)
        if number == 10:
            break
    lengths = [len(loader) for _ in loader]
    assert lengths == [len(lengths)] * len(lengths)


def test_a_quota_too_small_for_rescoring_is_said(toy: Any) -> None:
    """Where rescore_every alone asks for more than keep, no choice is left."""
    notes: list[str] = []
    toy.sifted(scores="memory", keep=0.1, on_note=notes.append)
    assert "keep=0.1 leaves no choice: rescore_every=8 alone asks for 11%" in notes[-1]
    notes.clear()
    toy.sifted(scores="memory", keep=0.1, rescore_every=50, on_note=notes.append)
    assert len(notes) == 1


def test_random_subsets_of_a_sampler(toy: Any) -> None:
    """A sampler that gives other rows in each epoch: those never seen come for certain."""
    inner = toy.loader(
        60, sampler=RandomSampler(range(60), num_samples=30, generator=Generator().manual_seed(2))
    )
    loader = toy.sifted(inner, scores="memory")
    first = kept(loader, rising)
    second = kept(loader, rising)
    assert (len(first), len(second)) == (30, 15)
    assert second - first
