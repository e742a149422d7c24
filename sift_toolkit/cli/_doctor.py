"""`sift-toolkit doctor`: what works here, and what to install for what does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from sift_toolkit.cli._doctor_account import account
from sift_toolkit.cli._doctor_docker import docker
from sift_toolkit.cli._doctor_machine import accelerators, machine, versions
from sift_toolkit.cli._doctor_verdicts import PLACES, Verdict, sdk_of, verdicts
from sift_toolkit.cli._options import json_option
from sift_toolkit.cli._printing import UNKNOWN, print_json, print_pairs

_GIGABYTE: Final = 1e9


@click.command(
    epilog="""Examples:

\b
  sift-toolkit doctor
  sift-toolkit doctor --require host && make train

Exit codes: 0 it could be told; 1 something that was asked for with --require does not work.""",
    short_help="What works here, and what to install for what does not.",
)
@click.option(
    "--online",
    is_flag=True,
    help="Ask AWS who the credentials belong to, the machine for its role, and a remote Docker.",
)
@click.option(
    "--require",
    "required",
    type=click.Choice(list(PLACES)),
    multiple=True,
    help="Exit with 1 if jobs cannot run there; may be repeated.",
)
@json_option
@click.pass_context
def doctor(ctx: click.Context, *, online: bool, required: Sequence[str], as_json: bool) -> None:
    """Look at packages, Docker, AWS configuration and this machine.

    Makes no call over the network unless told to; credentials are never shown.
    """
    facts = _facts(online=online)
    found = verdicts(facts)
    if as_json:
        works = {
            verdict.place: {"works": verdict.works, "missing": list(verdict.missing)}
            for verdict in found
        }
        print_json({**facts, "sdk": sdk_of(facts["versions"]), "works": works})
    else:
        _print(facts, found)
    failing = {verdict.place for verdict in found if not verdict.works}
    ctx.exit(1 if failing.intersection(required) else 0)


def _facts(*, online: bool) -> dict[str, Any]:
    installed = versions()
    return {
        "versions": installed,
        "machine": machine(),
        "accelerators": accelerators(has_torch=installed["torch"] is not None),
        "docker": docker(online=online),
        "aws": account(online=online),
    }


def _print(facts: Mapping[str, Any], found: Sequence[Verdict]) -> None:
    sdk = sdk_of(facts["versions"])
    click.echo("packages")
    print_pairs(
        (name, (version or "-") + (f" (SDK {sdk})" if name == "sagemaker" and version else ""))
        for name, version in facts["versions"].items()
    )
    for title, pairs in (
        ("machine", _machine_pairs(facts)),
        ("docker", _docker_pairs(facts["docker"])),
        ("aws", _aws_pairs(facts["aws"])),
    ):
        click.echo(title)
        print_pairs(pairs)
    click.echo("what works here")
    for verdict in found:
        mark = click.style("yes", fg="green") if verdict.works else click.style("no ", fg="red")
        click.echo(f"  {mark}  {PLACES[verdict.place]}")
        for missing in verdict.missing:
            click.echo(f"         {missing}")


def _machine_pairs(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    of, devices = facts["machine"], facts["accelerators"]
    yield "python", f"{of['python']} at {of['executable']}, on {of['system']}"
    yield "processors", str(of["cpus"] or UNKNOWN)
    yield "memory", f"{_size(of['memory_bytes'])}, {_size(of['memory_free_bytes'])} free"
    here, temporary = _size(of["disk_free_bytes"]), _size(of["temporary_free_bytes"])
    yield "disk", f"{here} free here, {temporary} for temporary files"
    yield "accelerators", devices["problem"] or ", ".join(devices["devices"]) or "none"


def _docker_pairs(docker: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "engine", docker["engine"] or docker["engine_problem"]
    yield "compose", docker["compose"] or "none"


def _aws_pairs(aws: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "region", aws["region"] or "none set"
    yield "credentials", ", ".join(filter(None, (aws["credentials"], aws["problem"])))
    if aws["identity"]:
        yield "identity", aws["identity"]


def _size(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number / _GIGABYTE:.1f} GB"
