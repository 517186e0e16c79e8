#!/bin/sh
# Locks pyproject.toml into requirements/*.txt: hashes, every platform, no registry's address.
# The smaller files are held to the versions of the largest, so that one venv can grow.
set -eu
cd "$(dirname "$0")/.."

lock() {
    file=$1
    shift
    .venv/bin/uv --no-config pip compile pyproject.toml -q --upgrade \
        --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-header --no-annotate \
        -o "requirements/$file" "$@" >/dev/null
}

lock test.txt --all-extras --group build --group dev --group test --group e2e
lock demo.txt --extra accounts --extra quickstart --extra sample --group build --constraint requirements/test.txt
lock runtime.txt --constraint requirements/test.txt
