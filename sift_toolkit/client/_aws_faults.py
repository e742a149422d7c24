"""What may go wrong between this machine and AWS: each fault once, told by its codes and classes.

Codes are those of botocore's ClientError; classes are known by name, so that nothing of AWS is
imported to look one up. Sources: the services' own lists of common errors, botocore's exceptions.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault: what it means, and what to do about it."""

    cause: str
    mend: str
    codes: frozenset[str] = frozenset()
    """ClientError codes; S3 gives bare HTTP statuses where an answer has no body."""
    classes: frozenset[str] = frozenset()
    """Names of exceptions of botocore, with those derived from them."""
    words: re.Pattern[str] | None = None
    """Tells the fault by AWS's message, where its code is shared by many."""
    outcome_known: bool = True
    """False: the request may have been carried out although no answer came."""


def _fault(
    cause: str,
    mend: str,
    *,
    codes: str = "",
    classes: str = "",
    words: str | None = None,
    outcome_known: bool = True,
) -> Fault:
    return Fault(
        cause,
        mend,
        frozenset(codes.split()),
        frozenset(classes.split()),
        None if words is None else re.compile(words, re.IGNORECASE),
        outcome_known,
    )


THROTTLED: Final = _fault(
    "AWS has throttled this account's calls, and calling again several times did not help",
    "wait a minute and try again, with fewer jobs at once",
    codes="BandwidthLimitExceeded EC2ThrottledException LimitExceededException "
    "PriorRequestNotComplete ProvisionedThroughputExceededException RequestLimitExceeded "
    "RequestThrottled RequestThrottledException SlowDown ThrottledException Throttling "
    "ThrottlingException TooManyRequestsException TransactionInProgressException",
    classes="CapacityNotAvailableError",
)
CLOCK: Final = _fault(
    "AWS takes this machine's clock to be wrong",
    "set the clock by a time server",
    codes="RequestTimeTooSkewed RequestInTheFuture",
    words=r"signature (not yet current|expired)",
)
EXPIRED: Final = _fault(
    "the credentials have expired",
    "sign in again (aws sso login, aws login, or new keys) and make a new session, for this one "
    "may hold on to the old ones",
    codes="ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired",
    classes="LoginError SSOError TokenRetrievalError",
)
BAD_CREDENTIALS: Final = _fault(
    "AWS does not know these credentials",
    "see whose they are with `aws sts get-caller-identity`, and set a profile or keys that are "
    "valid in this region",
    codes="AuthFailure IncompleteSignature InvalidAccessKeyId InvalidClientTokenId "
    "InvalidSignatureException InvalidToken MissingAuthenticationToken "
    "MissingAuthenticationTokenException SignatureDoesNotMatch UnrecognizedClientException",
)
NO_CREDENTIALS: Final = _fault(
    "there are no AWS credentials on this machine",
    "set them with `aws configure`, or name a profile in AWS_PROFILE or a command's --profile; "
    "a HostSession needs none",
    classes="CredentialRetrievalError MetadataRetrievalError NoAuthTokenError NoCredentialsError "
    "PartialCredentialsError ProfileNotFound",
)
NO_REGION: Final = _fault(
    "no AWS region is set, or none that is known",
    "set one in AWS_DEFAULT_REGION or with `aws configure`, or give a command's --region, or "
    "Session(boto_session=boto3.Session(region_name=...)); a HostSession needs none",
    codes="InvalidRegionException OptInRequired RegionDisabledException",
    classes="InvalidRegionError NoRegionError UnknownEndpointError UnknownRegionError",
    # The SDK's own ValueError, when it makes a session.
    words=r"must setup local aws configuration with a region",
)
ROLE: Final = _fault(
    "SageMaker cannot take on the role",
    "check its name, and that its trust policy lets sagemaker.amazonaws.com assume it "
    "(docs/iam.md)",
    codes="NoSuchEntity",
    words=r"assume (the )?role",
)
DENIED: Final = _fault(
    "you, or the role you act in, may not do this",
    "have it allowed: docs/iam.md has the smallest policies, yours and the role's",
    codes="403 AccessDenied AccessDeniedException AllAccessDisabled AuthorizationError Forbidden "
    "NotAuthorized UnauthorizedOperation",
)
BUCKET: Final = _fault(
    "there is no such bucket",
    "make it, or name another in output_path, code_location or Session(default_bucket=...)",
    codes="NoSuchBucket",
)
BUCKET_ELSEWHERE: Final = _fault(
    "the bucket is in another region than this session",
    "name one in the session's region, or make the session in the bucket's",
    codes="301 AuthorizationHeaderMalformed IllegalLocationConstraintException PermanentRedirect",
)
BUCKET_TAKEN: Final = _fault(
    "the bucket cannot be made under this name, which is in use",
    "name a bucket of your own in Session(default_bucket=...)",
    codes="BucketAlreadyExists BucketAlreadyOwnedByYou OperationAborted",
)
NO_DATA: Final = _fault(
    "there is no data where a channel points",
    "check the addresses given to fit(), and that the role may list that bucket",
    words=r"no s3 objects found",
)
QUOTA: Final = _fault(
    "the account's quota has no room for this",
    "take another instance_type or fewer instances, wait for other jobs to end, or ask for more "
    "under Service Quotas, Amazon SageMaker",
    codes="LimitExceeded ResourceLimitExceeded ServiceQuotaExceededException",
)
CAPACITY: Final = _fault(
    "AWS has no such instance free right now",
    "try again later, take another instance_type, or give subnets in more availability zones",
    codes="InsufficientCapacityException InsufficientInstanceCapacity "
    "InsufficientCapacityOnOutpost",
    words=r"capacityerror|insufficient capacity|requested ml compute capacity",
)
NAME_TAKEN: Final = _fault(
    "a job of this name exists",
    "give another job_name, or leave it out to get one with the time in it; if you never ran one "
    "of this name, the request may have arrived twice, so look whether that job runs",
    codes="ConflictException ResourceAlreadyExists ResourceAlreadyExistsException ResourceInUse "
    "ResourceInUseException",
)
NOT_FOUND: Final = _fault(
    "AWS finds nothing of this name",
    "check the name, the region and the account",
    codes="404 NoSuchKey NotFound ResourceNotFound ResourceNotFoundException",
    words=r"requested resource not found|could not find (training|tuning) job",
)
REFUSED: Final = _fault(
    "AWS does not accept the request",
    "correct what it names",
    codes="InvalidParameter InvalidParameterException InvalidParameterValue "
    "InvalidParameterValueException InvalidRequest ValidationError ValidationException",
    classes="ParamValidationError ValidationError",
)
INTERNAL: Final = _fault(
    "AWS had a fault of its own",
    "try again in a few minutes; https://health.aws.amazon.com tells of greater ones",
    codes="500 502 503 504 InternalError InternalFailure InternalServerError "
    "InternalServerException InternalServiceException ServiceUnavailable "
    "ServiceUnavailableException",
)
NETWORK: Final = _fault(
    "AWS could not be reached",
    "check the network, the proxy, the VPC's endpoints and the name of the region",
    classes="ConnectionError HTTPClientError",
    outcome_known=False,
)
OTHER: Final = _fault("AWS refused", "its own words are all there is to go by")

FAULTS: Final = (
    THROTTLED,
    CLOCK,
    EXPIRED,
    BAD_CREDENTIALS,
    NO_CREDENTIALS,
    NO_REGION,
    ROLE,
    DENIED,
    BUCKET,
    BUCKET_ELSEWHERE,
    BUCKET_TAKEN,
    NO_DATA,
    QUOTA,
    CAPACITY,
    NAME_TAKEN,
    NOT_FOUND,
    REFUSED,
    INTERNAL,
    NETWORK,
)

_SHARED_CODES: Final = REFUSED.codes | BAD_CREDENTIALS.codes | {""}
"""Codes that stand for many faults, which only the message tells apart."""


def fault_of(code: str, message: str) -> Fault:
    """Return the fault that AWS speaks of, by its answer's code ("": none) and message."""
    if code in _SHARED_CODES:
        for fault in FAULTS:
            if fault.words is not None and fault.words.search(message):
                return fault
    return next((fault for fault in FAULTS if code in fault.codes), OTHER)


def fault_of_class(names: Collection[str]) -> Fault:
    """Return the fault that an exception speaks of, by its class's name and those of its bases."""
    return next((fault for fault in FAULTS if not fault.classes.isdisjoint(names)), OTHER)
