"""An AWS account on this machine, whose training jobs really train.

moto's server is AWS; what moto only notes, a stand-in does: each training job that is created runs
to its end, one after the other, and each tuning job has its training jobs. A notebook reaches the
account by what boto3 itself reads, AWS_ENDPOINT_URL, and runs as it does in a real account.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timezone
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import boto3
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from notebooks.runner.tuning import TuningJobs
from sift_toolkit.testing import request_violations
from tests.sagemaker_stand_in import SageMakerStandIn

_REGION: Final = "us-west-2"
_ROLE: Final = "arn:aws:iam::123456789012:role/sift-notebooks"
_BUCKET: Final = "sift-notebooks"
# The SDK's own settings: it reports nothing, and asks nobody which bucket is the account's default,
# which it would ask at an address of its own.
_DEFAULTS: Final = f"""\
SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
      Session:
        DefaultS3Bucket: {_BUCKET}
"""
_TARGET: Final = "HTTP_X_AMZ_TARGET"


def _forget_all(port: int) -> None:
    """Have moto forget what accounts before this one in the same process did."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/moto-api/reset")
    connection.getresponse().read()
    connection.close()


@contextlib.contextmanager
def account(folder: Path) -> Iterator[dict[str, str]]:
    """Have an account, and give the environment variables that lead to it.

    Args:
        folder: Of the jobs' folders.
    """
    front = _Front(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, front, threaded=True, request_handler=MotoRequestHandler)
    # Each request would be a line on the screen.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    defaults = folder / "sagemaker.yaml"
    defaults.write_text(_DEFAULTS, encoding="utf-8")
    try:
        _forget_all(server.server_port)
        session = _Session(server.server_port)
        place = {"LocationConstraint": _REGION}
        session.client("s3").create_bucket(Bucket=_BUCKET, CreateBucketConfiguration=place)
        front.service = _SageMaker(session, folder)
        environment = {
            **_keys(server.server_port),
            "AWS_DEFAULT_REGION": _REGION,
            "SAGEMAKER_ROLE": _ROLE,
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(defaults),
        }
        # Jobs fetch their code themselves: what runs them here must lead there as well.
        with patch.dict(os.environ, environment):
            yield environment
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _keys(port: int) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }


class _Session(boto3.Session):
    """Has clients of the server alone, whatever the environment says."""

    def __init__(self, port: int) -> None:
        super().__init__(
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - there is nothing to protect
            region_name=_REGION,
        )
        self._endpoint = f"http://127.0.0.1:{port}"

    def client(self, service_name: str, **options: Any) -> Any:
        """Return a client of the server."""
        return super().client(service_name, endpoint_url=self._endpoint, **options)


class _SageMaker(SageMakerStandIn):
    """Runs jobs one after the other, while others wait.

    Args:
        session: Whose clients reach the server.
        folder: Of the jobs' folders.
    """

    def __init__(self, session: Any, folder: Path) -> None:
        super().__init__(session, Path(sys.executable), folder)
        self._client = session.client("sagemaker")
        self._waiting: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self.tuning = TuningJobs(
            lambda request: self._client.create_training_job(**request),
            lambda name: self._client.describe_training_job(TrainingJobName=name),
            self._lines,
        )
        threading.Thread(target=self._work, daemon=True).start()

    def created(self, request: Mapping[str, Any]) -> None:
        """Take a job that was just created: it waits for those before it."""
        self._tell(request["TrainingJobName"], "Starting", "Preparing the instances for training")
        self._waiting.put(request)

    def _work(self) -> None:
        while True:
            request = self._waiting.get()
            name = request["TrainingJobName"]
            self._tell(name, "Training", "Training image download completed")
            try:
                self.run(request)
            except Exception as error:  # noqa: BLE001 - the job's failure, whatever it is
                self._fail(name, f"{type(error).__name__}: {error}")

    def _fail(self, name: str, reason: str) -> None:
        vars(self._records[name]).update(
            training_job_status="Failed", secondary_status="Failed", failure_reason=reason
        )

    def _tell(self, name: str, stage: str, words: str) -> None:
        now = datetime.now(timezone.utc)
        record = vars(self._records[name])
        record.update(
            training_job_status="InProgress",
            secondary_status=stage,
            secondary_status_transitions=[
                {"Status": stage, "StartTime": now, "StatusMessage": words}
            ],
            last_modified_time=now,
            training_start_time=now if stage == "Training" else None,
            training_end_time=None,
            final_metric_data_list=None,
        )

    def _lines(self, name: str) -> Iterable[str]:
        result = self.results.get(name)
        return () if result is None else result.tree.log_lines()


class _Front:
    """The server's front door: what is SageMaker's part goes to the stand-in, the rest to moto.

    Args:
        app: moto.
    """

    service: _SageMaker

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        operation = environ.get(_TARGET, "").removeprefix("SageMaker.")
        if operation not in {
            "CreateTrainingJob",
            "CreateHyperParameterTuningJob",
            "DescribeHyperParameterTuningJob",
            "ListTrainingJobsForHyperParameterTuningJob",
        }:
            return self._app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        request = json.loads(body)
        if found := request_violations(request, operation):
            said = {"__type": "ValidationException", "message": "; ".join(found)}
            return _answer(start_response, "400 Bad Request", said)
        if operation != "CreateTrainingJob":
            tuning = self.service.tuning
            answers = {
                "CreateHyperParameterTuningJob": tuning.create,
                "DescribeHyperParameterTuningJob": tuning.describe,
                "ListTrainingJobsForHyperParameterTuningJob": tuning.list_jobs,
            }
            return _answer(start_response, "200 OK", answers[operation](request))
        environ["wsgi.input"] = BytesIO(body)
        statuses: list[str] = []

        def noted(status: str, *rest: Any) -> Any:
            statuses.append(status)
            return start_response(status, *rest)

        # Before the answer goes out: whoever asks next is told that the job has not ended.
        answer = list(self._app(environ, noted))
        if statuses[0].startswith("200"):
            self.service.created(request)
        return answer


def _answer(
    start_response: Callable[..., Any], status: str, said: Mapping[str, Any]
) -> list[bytes]:
    body = json.dumps(said).encode()
    start_response(
        status,
        [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(body)))],
    )
    return [body]
