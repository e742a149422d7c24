"""A verdict in sentences."""

from __future__ import annotations

import math

from sift_toolkit.client._trial_plan import TrialPlan
from sift_toolkit.client._trial_rows import ArmRow
from sift_toolkit.client._trial_statistics import Estimate
from sift_toolkit.client._trial_verdict import TrialVerdict, saved_share

__all__ = ["estimate_text", "headline", "signed", "verdict_sentences"]

_UNKNOWN = "?"


def headline(verdict: TrialVerdict, plan: TrialPlan) -> str:
    """Return the verdict in one sentence, without its figures."""
    row = verdict.row
    if verdict.kind == "sift":
        assert row is not None
        return f"Sift: {row.arm.label}."
    if verdict.kind == "shorter":
        assert row is not None
        share = 100 * (1 - row.arm.epochs / plan.epochs)
        return (
            f"Do not sift: train {share:.0f} % shorter instead, {row.arm.epochs} epochs of "
            f"{plan.epochs}."
        )
    if verdict.kind == "full":
        return "Do not sift: train as you do."
    if row is None:
        return "Not enough seeds to tell."
    return f"Not enough seeds to tell: {row.arm.label} may be worth it."


def verdict_sentences(verdict: TrialVerdict, plan: TrialPlan) -> list[str]:
    """Return the verdict with its figures, a sentence each."""
    sentences = [headline(verdict, plan)]
    if verdict.kind == "sift":
        sentences.append(f"As a config: {verdict.config!r}.")
    if verdict.reason:
        sentences.append(f"{verdict.reason[0].upper()}{verdict.reason[1:]}.")
    if verdict.nearest is not None:
        sentences.append(f"The nearest that sifts is {verdict.nearest.arm.label}.")
    figured = verdict.nearest if verdict.kind == "full" else verdict.row
    if figured is not None:
        sentences += _figures(figured, plan)
    if verdict.fallback is not None:
        sentences.append(f"Until then: {headline(verdict.fallback, plan)}")
    return sentences


def estimate_text(estimate: Estimate | None, scale: float, form: str) -> str:
    """Return a mean and how far it may be off, as "-0.24 +- 0.12"; "-" for none."""
    if estimate is None:
        return "-"
    mean = form.format(scale * estimate.mean)
    reach = estimate.reach
    off = form.format(scale * reach).lstrip("+") if math.isfinite(reach) else _UNKNOWN
    return f"{mean} +- {off}"


def _figures(row: ArmRow, plan: TrialPlan) -> list[str]:
    metric = plan.metric
    scale = metric.scale
    saving = estimate_text(saved_share(row.cost), 100, "{:.1f}")
    sentences = [f"It saves {saving} % of the passes of plain training in full"]
    if row.seconds is not None:
        seconds = estimate_text(saved_share(row.seconds), 100, "{:.1f}")
        sentences[-1] += f", {seconds} % of its seconds"
    sentences[-1] += "."
    unit = f" {metric.unit}" if metric.unit else ""
    title = metric.title[0].upper() + metric.title[1:]
    difference = estimate_text(signed(row.difference, metric.sign), scale, "{:+.2f}")
    beside = f"{title} beside it: {difference}{unit}"
    if row.advantage is not None:
        advantage = estimate_text(signed(row.advantage, metric.sign), scale, "{:+.2f}")
        beside += f"; beside plain training of the same cost: {advantage}{unit}"
    sentences.append(f"{beside} ({len(row.seeds)} seeds, {100 * plan.confidence:g} % intervals).")
    return sentences


def signed(estimate: Estimate | None, sign: int) -> Estimate | None:
    """Return an estimate of scores in the metric's own direction."""
    if estimate is None or sign > 0:
        return estimate
    return Estimate(-estimate.mean, -estimate.high, -estimate.low, estimate.n)
