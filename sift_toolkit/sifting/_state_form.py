"""The form of a saved state, as a whole: one that was changed would fail epochs later, or mislead.

What each part of it means, its class knows. Here stands what a state of another version, or of a
hand that changed it, may not have: then it is refused before anything of it is taken over.
"""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import Tensor

from sift_toolkit.sifting._forecast import Carried
from sift_toolkit.sifting._form import (
    Form,
    anything,
    both,
    count,
    each,
    fields_of,
    flag,
    number,
    one_of,
    optional,
    record,
    row,
    such_that,
    tensor,
    whole,
)
from sift_toolkit.sifting._gate import FIGURES
from sift_toolkit.sifting._meter import Counters
from sift_toolkit.sifting._rng import may_be_global_state, may_be_state
from sift_toolkit.sifting._schedule import Position

_WEIGHTS: Final = tensor(torch.float32, torch.float64)
_RANDOM: Final = both(tensor(torch.uint8), such_that(may_be_state))
_DRAWS: Final = record(
    {
        "global_at_start": optional(such_that(may_be_global_state)),
        "own_at_start": each(_RANDOM),
        "own": each(_RANDOM),
    }
)
_WAITING: Final = record(
    {"rows": count, "weights": optional(_WEIGHTS)},
    beside={"leaves": each(anything), "samples": each(anything)},
)
_FRESH: Final = record(
    {
        "waiting": record({"parts": each(_WAITING)}),
        "sifter": record(
            {
                "history": record({"losses": tensor(torch.float32, torch.float64)}),
                "remainder": number,
                "windows": count,
            }
        ),
        "batch_size": optional(count),
        "source": record(
            {"given": count, "draws": _DRAWS, "sampler_epochs": each(whole), "ended": flag},
            beside={"inner": anything},
        ),
        "pace": record({"granted": count}),
    }
)
_CLASSES: Final = both(
    record({"too_many": flag, "totals": row(each(whole), each(count), each(count))}),
    such_that(lambda state: len({len(part) for part in state["totals"]}) == 1),
)


def _memory(samples: int) -> Form:
    ids = both(
        tensor(torch.int32, torch.int64),
        such_that(lambda ids: not ids.numel() or 0 <= int(ids.min()) <= int(ids.max()) < samples),
    )
    chosen = both(row(ids, optional(tensor(torch.float32))), such_that(_are_as_many))
    remembered = {
        "losses": tensor(torch.float32),
        "passed_over": tensor(torch.uint8, rows=samples),
        "times_at_top": tensor(torch.uint8, rows=samples),
        "top": such_that(lambda value: isinstance(value, float) and not math.isnan(value)),
        "values": optional(tensor(torch.bfloat16, rows=samples)),
    }
    plan = {
        "chosen": chosen,
        "sizes": each(count),
        "ends": each(count),
        "rows": count,
        "carried": count,
        "seen": count,
    }
    return record(
        {
            "memory": record(remembered),
            "knows": flag,
            "plan": optional(both(record(plan), such_that(_is_plan))),
            "waiting": chosen,
            "remainder": number,
            "draws": _DRAWS,
            "spread": record({"had": each(ids), "learnt": each(ids)}),
        }
    )


def _are_as_many(columns: tuple[Tensor, Tensor | None]) -> bool:
    ids, weights = columns
    return weights is None or len(weights) == len(ids)


def _is_plan(plan: dict[str, Any]) -> bool:
    sizes, ends = plan["sizes"], plan["ends"]
    return len(sizes) == len(ends) and sum(sizes) <= plan["chosen"][0].numel()


def _handed_out(entry: tuple[int, Tensor | None, Tensor | None]) -> bool:
    rows, *columns = entry
    return all(column is None or len(column) == rows for column in columns)


def state_form(samples: int) -> Form:
    """Return the form of a loader's state, what it says of loader and config left aside.

    Args:
        samples: in the dataset; 0 where there is no such number.
    """
    handed_out = row(count, optional(_WEIGHTS), optional(tensor(torch.int32, torch.int64)))
    rest: dict[str, Form] = {
        "version": anything,
        "config": anything,
        "data": anything,
        "engine_name": one_of("fresh", "memory"),
        "engine": anything,
        "position": record(fields_of(Position)),
        "meter": record({**fields_of(Counters), "classes": _CLASSES}),
        "generator": _RANDOM,
        "reduction": record(
            {
                "outstanding": record({"queue": each(both(handed_out, such_that(_handed_out)))}),
                "was_used": flag,
            }
        ),
        "lengths": record(
            {
                "start": optional(row(record(fields_of(Position)), record(fields_of(Carried)))),
                "epoch": count,
            }
        ),
        "reporter": record({"observed_at": count}),
        "gate": record({"start": record(dict.fromkeys(FIGURES, number)), "has_warned": flag}),
        "epochs_ended": count,
        "has_noted": flag,
        "mid_epoch": flag,
    }
    engines = {"fresh": _FRESH, "memory": _memory(samples)}

    def engine(value: object, place: str) -> str | None:
        assert isinstance(value, dict)
        return engines[value["engine_name"]](value["engine"], f"{place}['engine']")

    return both(record(rest), engine, such_that(_knows_its_draws))


def _knows_its_draws(state: dict[str, Any]) -> bool:
    """Whether an epoch that is gone on with can be drawn again."""
    engine = state["engine"]
    draws = engine["draws"] if state["engine_name"] == "memory" else engine["source"]["draws"]
    return not state["mid_epoch"] or draws["global_at_start"] is not None
