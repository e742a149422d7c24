"""Whether plain training can be measured by: jobs that did what was asked of them."""

from __future__ import annotations

from sift_toolkit.client._trial_arms import TrialArm
from sift_toolkit.client._trial_plan import TrialPlan
from sift_toolkit.client._trial_results import Outcomes

__all__ = ["epochs_ignored", "seed_ignored"]


def epochs_ignored(plan: TrialPlan, outcomes: Outcomes) -> str | None:
    """Return in words that a shortened training was not shortened, None if all were.

    Args:
        plan: The trial.
        outcomes: Of the jobs that have ended.
    """
    for arm in plan.plain[1:]:
        for seed in plan.seeds:
            asked, made = arm.epochs / plan.epochs, _passes_made(plan, outcomes, arm, seed)
            # Nearer to the full number than to what was asked for.
            if made is not None and made > (1 + asked) / 2:
                return (
                    f"{arm.label}, seed {seed}, made {100 * made:.0f} % of the passes of plain "
                    f"training in full, {100 * asked:.0f} % were asked for: the script does not "
                    "follow its argument for the epochs, or it ends early by itself. Let it, with "
                    "the learning rate and without an early end, or name the argument it has; then "
                    "start the trial anew, in another folder"
                )
    return None


def _passes_made(plan: TrialPlan, outcomes: Outcomes, arm: TrialArm, seed: int) -> float | None:
    own, full = outcomes.get((arm.label, seed)), outcomes.get((plan.full.label, seed))
    if own is None or full is None or not own.counts or not full.counts:
        return None
    if own.passes is None or full.passes is None:
        return None
    return own.passes / full.passes


def seed_ignored(plan: TrialPlan, outcomes: Outcomes) -> bool:
    """Whether seeds change nothing: each plain arm gave all of them one score, of its own.

    Where all arms have the same score, the metric may have come to its end.
    """
    scores = [
        [
            outcome.score
            for seed in plan.seeds
            if (outcome := outcomes.get((arm.label, seed))) is not None and outcome.counts
        ]
        for arm in plan.plain
    ]
    several = [each for each in scores if len(each) > 1]
    is_same = all(len(set(each)) == 1 for each in several)
    return is_same and len({each[0] for each in several}) > 1
