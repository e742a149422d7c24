"""From a training script to what sifting saved: build, describe, launch, watch, tune, compare.

Each `# %%` begins a notebook's cell. With SDK v3 the first import is another, and nothing else:
`from sift_toolkit import sift_model_trainer as sift_job`.
"""

# %% Build: your script, your arguments, and how to sift
from sift_toolkit import SiftConfig, compare, keep_sweep, sift_tuner, watch
from sift_toolkit import sift_estimator as sift_job  # of SDK v3: sift_model_trainer

DATA = {"training": "s3://sift-tests/data"}

job = sift_job(
    SiftConfig(keep=0.5),
    entry_point="train.py",
    source_dir="src",
    role="arn:aws:iam::123456789012:role/sift-tests",
    instance_type="ml.g5.xlarge",
    instance_count=1,
    framework_version="2.8.0",
    py_version="py312",
    hyperparameters={"epochs": 10, "note": "what sifting saves, and what it doesn't"},
)

# %% Describe: what would be sent, without asking AWS for anything
request = job.describe_request(DATA)
print(request["HyperParameters"])

# %% Launch: one job
job.fit(DATA, wait=False)

# %% Watch: its progress until it ends
facts = watch(job)
print(facts.status, facts.billable_seconds)

# %% Sweep: the same job with other shares, and its plain twin
sweep = keep_sweep(job, [0.3, 0.7], inputs=DATA)

# %% Compare: what was saved, in hours and money, and at which accuracy
comparison = compare({**sweep.jobs, "keep=0.5": job}, price_per_hour=1.41)
print(comparison)

# %% Tune: the other dials at the share you chose
tuner = sift_tuner(job, {"law": ["percentile", "proportional"]}, max_jobs=4)
tuner.fit(DATA, wait=False)
