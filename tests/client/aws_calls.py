"""The calls made to AWS, and what each needs of a policy. For the tests of docs/iam.md.

To hold other calls against the policies, make them within `recorded(boto_session)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[2] / "docs" / "iam.md"
ACCOUNT, REGION = "123456789012", "us-west-2"
_POLICY = re.compile(r"<!-- policy: (.+?) -->\n```json\n(.*?)```", re.DOTALL)

# Calls whose permission has another name: the Service Authorization Reference says which.
_OTHER_NAMES = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
}
# Allowed to everyone.
_FREE = {"sts:GetCallerIdentity"}


class Need(NamedTuple):
    """One thing that a policy must allow."""

    action: str
    resource: str


class Call(NamedTuple):
    """One call to AWS."""

    service: str
    operation: str
    parameters: Mapping[str, Any]

    def needs(self) -> Iterator[Need]:
        """Yield what a policy must allow for this call."""
        action = f"{self.service}:{self.operation}"
        action = _OTHER_NAMES.get(action, action)
        if action in _FREE:
            return
        resource = _RESOURCES[self.service](self)
        yield Need(action, resource)
        definition = self.parameters.get("TrainingJobDefinition", self.parameters)
        if self.operation.startswith("Create") and "RoleArn" in definition:
            yield Need("iam:PassRole", definition["RoleArn"])
        if self.service == "sagemaker" and self.parameters.get("Tags"):
            yield Need("sagemaker:AddTags", resource)


def _s3(call: Call) -> str:
    bucket, key = (call.parameters.get(name) for name in ("Bucket", "Key"))
    return "*" if bucket is None else f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")


def _sagemaker(call: Call) -> str:
    kinds = {
        "TrainingJobName": "training-job",
        "HyperParameterTuningJobName": "hyper-parameter-tuning-job",
    }
    (found,) = (
        f"{kind}/{call.parameters[name]}" for name, kind in kinds.items() if name in call.parameters
    )
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{found}"


def _logs(call: Call) -> str:
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{call.parameters['logGroupName']}"
    stream = call.parameters.get("logStreamName")
    return group if stream is None else f"{group}:log-stream:{stream}"


def _role(call: Call) -> str:
    name = call.parameters.get("RoleName")
    return str(call.parameters.get("PolicySourceArn") or f"arn:aws:iam::{ACCOUNT}:role/{name}")


_RESOURCES: dict[str, Callable[[Call], str]] = {
    "s3": _s3,
    "sagemaker": _sagemaker,
    "logs": _logs,
    "iam": _role,
    "cloudwatch": lambda _: "*",
}


@contextmanager
def recorded(boto_session: Any) -> Iterator[list[Call]]:
    """Give the list that all calls are put into, of clients that are made of a session within."""
    calls: list[Call] = []

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        calls.append(Call(model.service_model.service_name, model.name, dict(params)))

    boto_session.events.register("provide-client-params", note)
    try:
        yield calls
    finally:
        boto_session.events.unregister("provide-client-params", note)


class Policy:
    """A policy of docs/iam.md, for an account of the tests."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.statements = document["Statement"]

    @classmethod
    def of(cls, name: str, **placeholders: str) -> Policy:
        """Return a policy of the page by its mark, its placeholders filled in."""
        text = policies()[name]
        for word, value in {"ACCOUNT": ACCOUNT, "REGION": REGION, **placeholders}.items():
            text = text.replace(word, value)
        return cls(json.loads(text))

    def pairs(self) -> Iterator[Need]:
        """Yield each action with each resource it is allowed on."""
        for statement in self.statements:
            for action in _listed(statement["Action"]):
                for resource in _listed(statement.get("Resource", "*")):
                    yield Need(action, resource)

    def allows(self, need: Need) -> bool:
        """Whether a statement allows an action on a resource."""
        return any(
            need.action == action and fnmatchcase(need.resource, resource)
            for action, resource in self.pairs()
        )


def policies() -> dict[str, str]:
    """Return the JSON of each policy of the page, by its mark."""
    return dict(_POLICY.findall(PAGE.read_text(encoding="utf-8")))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def needs_of(calls: Iterable[Call]) -> set[Need]:
    """Return what a policy must allow for calls."""
    return {need for call in calls for need in call.needs()}


def denied(policy: Policy, needs: Iterable[Need]) -> list[Need]:
    """Return the needs that a policy does not allow."""
    return [need for need in needs if not policy.allows(need)]


def spare(policy: Policy, needs: Iterable[Need]) -> list[Need]:
    """Return what a policy allows and nobody needs."""
    wanted = set(needs)
    # One statement on logs has the resources of all its actions: groups, and streams in them.
    used = {need.action for need in wanted if need.action.startswith("logs:")}
    return [
        pair
        for pair in policy.pairs()
        if pair.action not in used
        and not any(
            need.action == pair.action and fnmatchcase(need.resource, pair.resource)
            for need in wanted
        )
    ]
