"""Tuning jobs of the account on this machine: values drawn, a training job for each of them."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

_SHARED: Final = {
    "AlgorithmSpecification",
    "Environment",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "RoleArn",
    "StoppingCondition",
}
"""What the request of a tuning job says of its training jobs in the words of theirs."""
_MACHINES: Final = {"InstanceCount", "InstanceType", "VolumeSizeInGB"}
_ENDED: Final = {"Completed", "Failed", "Stopped"}


class TuningJobs:
    """What SageMaker knows of the tuning jobs of an account.

    Each is over when its training jobs are; values are drawn without looking at what came before.

    Args:
        create: Creates a training job by its request.
        describe: Returns what is known of a training job, by its name, in boto3's words.
        log_lines: Yields the lines of a training job's log, by its name.
    """

    def __init__(
        self,
        create: Callable[[Mapping[str, Any]], None],
        describe: Callable[[str], Mapping[str, Any]],
        log_lines: Callable[[str], Iterable[str]],
    ) -> None:
        self._create = create
        self._describe = describe
        self._log_lines = log_lines
        self._requests: dict[str, Mapping[str, Any]] = {}
        self._tuned: dict[str, dict[str, dict[str, str]]] = {}

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer CreateHyperParameterTuningJob: all training jobs are created, to run in turn."""
        name = request["HyperParameterTuningJobName"]
        self._requests[name] = request
        self._tuned[name] = tuned = {}
        definition = request["TrainingJobDefinition"]
        static = definition["StaticHyperParameters"]
        of_jobs = {key: value for key, value in definition.items() if key in _SHARED}
        # Either of the two says on what the jobs run.
        if machines := definition.get("HyperParameterTuningResourceConfig"):
            of_jobs["ResourceConfig"] = {
                key: value for key, value in machines.items() if key in _MACHINES
            }
        for number, values in enumerate(drawn(request["HyperParameterTuningJobConfig"]), 1):
            job = f"{name}-{number:03d}"
            tuned[job] = values
            self._create(
                {**of_jobs, "TrainingJobName": job, "HyperParameters": {**static, **values}}
            )
        return {"HyperParameterTuningJobArn": self._arn(name)}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer DescribeHyperParameterTuningJob."""
        name = request["HyperParameterTuningJobName"]
        asked = self._requests[name]
        summaries = list(self._summaries(name))
        statuses = [summary["TrainingJobStatus"] for summary in summaries]
        known = [one for one in summaries if "FinalHyperParameterTuningJobObjectiveMetric" in one]
        known.sort(key=lambda one: one["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
        objective = asked["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        best = known[-1 if objective["Type"] == "Maximize" else 0] if known else None
        return {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobArn": self._arn(name),
            "HyperParameterTuningJobConfig": asked["HyperParameterTuningJobConfig"],
            "TrainingJobDefinition": asked["TrainingJobDefinition"],
            "HyperParameterTuningJobStatus": (
                "Completed" if set(statuses) <= _ENDED else "InProgress"
            ),
            "CreationTime": summaries[0]["CreationTime"],
            "TrainingJobStatusCounters": {
                "Completed": statuses.count("Completed"),
                "InProgress": statuses.count("InProgress"),
                "RetryableError": 0,
                "NonRetryableError": statuses.count("Failed"),
                "Stopped": statuses.count("Stopped"),
            },
            "ObjectiveStatusCounters": {
                "Succeeded": len(known),
                "Pending": statuses.count("InProgress"),
                "Failed": statuses.count("Failed"),
            },
            **({"BestTrainingJob": best} if best else {}),
        }

    def list_jobs(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer ListTrainingJobsForHyperParameterTuningJob; the newest come first."""
        summaries = list(self._summaries(request["HyperParameterTuningJobName"]))
        return {"TrainingJobSummaries": summaries[::-1]}

    def _summaries(self, name: str) -> Iterator[dict[str, Any]]:
        goal = self._requests[name]["HyperParameterTuningJobConfig"][
            "HyperParameterTuningJobObjective"
        ]
        for job, values in self._tuned[name].items():
            described = self._describe(job)
            times = ("CreationTime", "TrainingStartTime", "TrainingEndTime")
            summary = {
                "TrainingJobName": job,
                "TrainingJobArn": described["TrainingJobArn"],
                "TrainingJobStatus": described["TrainingJobStatus"],
                "TunedHyperParameters": values,
                **{time: moment.timestamp() for time in times if (moment := described.get(time))},
            }
            value = self._objective(job, goal["MetricName"])
            if described["TrainingJobStatus"] == "Completed" and value is not None:
                summary["FinalHyperParameterTuningJobObjectiveMetric"] = {**goal, "Value": value}
                summary["ObjectiveStatus"] = "Succeeded"
            yield summary

    def _objective(self, job: str, metric: str) -> float | None:
        """Return the last value that the definition of the objective finds in the log."""
        (name,) = (name for name, tuned in self._tuned.items() if job in tuned)
        definitions = self._requests[name]["TrainingJobDefinition"]["AlgorithmSpecification"]
        (regex,) = (
            one["Regex"] for one in definitions["MetricDefinitions"] if one["Name"] == metric
        )
        found = [match[1] for line in self._log_lines(job) if (match := re.search(regex, line))]
        return float(found[-1]) if found else None

    @staticmethod
    def _arn(name: str) -> str:
        return f"arn:aws:sagemaker:us-west-2:123456789012:hyper-parameter-tuning-job/{name}"


def drawn(config: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the values of each training job: all combinations of a grid, else by chance.

    Args:
        config: HyperParameterTuningJobConfig of the request.
    """
    ranges = config["ParameterRanges"]
    choices = {one["Name"]: one["Values"] for one in ranges.get("CategoricalParameterRanges") or []}
    if config["Strategy"] == "Grid":
        combinations = itertools.product(*choices.values())
        return [dict(zip(choices, values, strict=True)) for values in combinations]
    chance = random.Random(0)  # noqa: S311 - the same values each time
    return [
        {
            **{name: chance.choice(values) for name, values in choices.items()},
            **{
                one["Name"]: repr(chance.uniform(float(one["MinValue"]), float(one["MaxValue"])))
                for one in ranges.get("ContinuousParameterRanges") or []
            },
            **{
                one["Name"]: str(chance.randint(int(one["MinValue"]), int(one["MaxValue"])))
                for one in ranges.get("IntegerParameterRanges") or []
            },
        }
        for _ in range(config["ResourceLimits"]["MaxNumberOfTrainingJobs"])
    ]
