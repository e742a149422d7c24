#!/bin/sh
# Makes the image's environment: install.sh CONTEXT FOLDER.
set -eu
context=$1
folder=$2
wheels=$context/build/docker/wheels

# On a base that has torch, such as a Deep Learning Container, that one is used.
python3 -m venv --system-site-packages "$folder"
if "$folder/bin/python" -c 'import torch' 2>/dev/null; then
    grep -v '^torch$' "$context/docker/requirements.txt" >/tmp/requirements.txt
    grep '^sagemaker-training' "$context/constraints.txt" >/tmp/constraints.txt
else
    cp "$context/docker/requirements.txt" "$context/constraints.txt" /tmp
fi
if [ -d "$wheels" ]; then
    set -- --no-index --find-links "$wheels"
else
    set --
    if ! command -v cc >/dev/null; then
        apt-get update --quiet
        apt-get install --yes --quiet --no-install-recommends gcc libc6-dev
    fi
fi
"$folder/bin/python" -m pip install --no-cache-dir --no-compile --disable-pip-version-check \
    "$@" --requirement /tmp/requirements.txt --constraint /tmp/constraints.txt

# Headers serve a compiler, which the image has none of, and test suites their authors.
packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$packages"/torch/include "$packages"/torch/test "$packages"/torch/bin/*[Tt]est*
find "$packages" -type d -path '*/scipy/*/tests' -prune -exec rm -rf {} +

# Compiled are those modules alone that a job imports: it starts in half the time, and all of them
# would make the image larger by a sixth.
PYTHONDONTWRITEBYTECODE= "$folder/bin/python" -c 'import sagemaker_pytorch_container.training, sagemaker_training.cli.train
import torch.distributed.run, torch.nn.parallel, torch.optim, torch.utils.data'
