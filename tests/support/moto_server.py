"""moto's S3 as a process of its own, which checks signatures: the judge of our client and our stub.

As a program it prints one line of JSON and serves until its standard input ends, so that it does
not outlive whoever started it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

REGION = "eu-central-1"
BUCKETS = {"films": False, "versions": True}
"""By name, whether it keeps versions."""
OPEN_ACTIONS = 3
"""What moto lets anybody do first: make a user, give it a key, let it do everything."""


class Moto(NamedTuple):
    url: str
    access_key: str
    secret_key: str


@contextmanager
def moto_server() -> Iterator[Moto]:
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(OPEN_ACTIONS)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.moto_server"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"moto did not start: {process.communicate()[1].decode()}")
        yield Moto(**json.loads(line))
        process.communicate(timeout=20)  # which ends its input first


def main() -> None:
    import logging

    from botocore.session import get_session
    from moto.server import ThreadedMotoServer

    logging.disable()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"

    def client(service: str, access_key: str = "nobody", secret_key: str = "nothing"):  # type: ignore[no-untyped-def]
        return get_session().create_client(
            service,
            REGION,
            endpoint_url=url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
        )

    iam = client("iam")
    iam.create_user(UserName="origin")
    key = iam.create_access_key(UserName="origin")["AccessKey"]
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName="origin", PolicyName="all", PolicyDocument=policy)

    s3 = client("s3", key["AccessKeyId"], key["SecretAccessKey"])
    for bucket, keeps_versions in BUCKETS.items():
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        if keeps_versions:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    print(json.dumps(Moto(url, key["AccessKeyId"], key["SecretAccessKey"])._asdict()), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
