"""The command `sift-toolkit`: its subcommands, and how errors become exit codes."""

from __future__ import annotations

import os
from typing import Any, Final

import click

from sift_toolkit._version import __version__
from sift_toolkit.cli._compare import compare
from sift_toolkit.cli._describe import describe
from sift_toolkit.cli._doctor import doctor
from sift_toolkit.cli._report import report
from sift_toolkit.cli._run import run
from sift_toolkit.cli._trial import trial
from sift_toolkit.cli._watch import watch
from sift_toolkit.errors import SiftConfigError, SiftError, SiftRequestError, SiftUsageError

INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as a shell has it."""

_REFUSALS: Final = (SiftConfigError, SiftRequestError, SiftUsageError)
_EXTRAS: Final = {
    "boto3": "client",
    "botocore": "client",
    "matplotlib": "demo",
    "rich": "client",
    "sagemaker": "client",
}
"""Which extra of this package brings a package that a command needs."""


class _Failed(click.ClickException):
    """A job failed, or something else went wrong."""

    exit_code = 1


class _Refused(click.ClickException):
    """Something was asked for wrongly, and nothing was done; as click's own usage errors."""

    exit_code = 2


class _Commands(click.Group):
    """Says this package's errors in their own words, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SiftError as error:
            kind = _Refused if isinstance(error, _REFUSALS) else _Failed
            raise kind(str(error)) from error
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _EXTRAS:
                raise
            mend = f"pip install 'sift_toolkit[{_EXTRAS[package]}]'"
            msg = f"this needs {package}, which is not there: {mend}"
            raise _Failed(msg) from error
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""Exit codes: 0 it worked; 1 a job failed, or something else went wrong; 2 it was asked
for wrongly, and nothing was done; 130 interrupted. Colours are left out where the output is no
terminal, and where NO_COLOR is set. Completion for bash, and so for zsh and fish:

\b
  eval "$(_SIFT_TOOLKIT_COMPLETE=bash_source sift-toolkit)\"""",
)
@click.version_option(__version__, prog_name="sift-toolkit")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Loss-based data sifting for PyTorch training on Amazon SageMaker.

    Start with `sift-toolkit doctor`, which tells what works here and what to install.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False


for _command in (run, trial, compare, report, watch, describe, doctor):
    app.add_command(_command)
