"""What is asked of a bucket besides its bytes and listings: HEAD, put, restore.

These are few, so they go through aiobotocore, which knows what S3 says and means. It takes a third
of a second to import; that happens in a thread, at the first request.
"""

from __future__ import annotations

import asyncio
from typing import Any

from origin.breaker import Breaker
from origin.errors import ObjectChanged, StorageError
from origin.storage.s3.credentials import CredentialSource
from origin.storage.s3.faults import NotAccepted, Passing, Reason, Refusal
from origin.storage.s3.options import Limits, S3Options
from origin.storage.s3.replies import ObjectInfo, known_version, refusal
from origin.storage.s3.restraint import watch
from origin.storage.s3.sigv4 import Credentials


class S3Objects:
    """``breaker``: the one of the client of the same bucket. Of one loop."""

    def __init__(
        self,
        options: S3Options,
        credentials: CredentialSource | None,
        limits: Limits | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._options = options
        self._credentials = credentials
        self._limits = limits or Limits()
        self._breaker = breaker or Breaker()
        self._lock = asyncio.Lock()
        self._client: Any = None

    async def head(self, key: str, version_id: str | None = None) -> ObjectInfo | None:
        """None: there is no such object."""
        version = {"VersionId": version_id} if version_id else {}
        try:
            said = await self._call("head_object", key, Key=key, **version)
        except ObjectChanged:
            return None
        return _info(said, said["ContentLength"])

    async def put(
        self, key: str, body: bytes, *, media_type: str, only_new: bool = False
    ) -> ObjectInfo | None:
        """None: ``only_new`` was asked for, and there is such an object already."""
        condition = {"IfNoneMatch": "*"} if only_new else {}
        try:
            said = await self._call(
                "put_object", key, Key=key, Body=body, ContentType=media_type, **condition
            )
        except ObjectChanged:
            if only_new:
                return None
            raise
        return _info(said, len(body))

    async def restore(self, key: str, *, days: int, tier: str = "Standard") -> bool:
        """Have an archived object made readable for ``days``; False: that is under way already.
        ``tier``: how soon, and how dear."""
        request = {"Days": days, "GlacierJobParameters": {"Tier": tier}}
        try:
            await self._call("restore_object", key, Key=key, RestoreRequest=request)
        except Refusal as error:
            if error.s3_code != "RestoreAlreadyInProgress":
                raise
            return False
        return True

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.__aexit__(None, None, None)

    async def _call(self, operation: str, what: str, **arguments: Any) -> Any:
        """``what`` is asked about, for messages."""
        async with self._lock:
            self._client = self._client or await self._connect()
        credentials = await self._credentials.get() if self._credentials else None
        try:
            return await self._once(operation, what, arguments)
        except NotAccepted:
            source = self._credentials
            if not source or not credentials or not source.refused(credentials):
                raise
            return await self._once(operation, what, arguments)

    async def _once(self, operation: str, what: str, arguments: dict[str, Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        call = getattr(self._client, operation)
        with watch(self._breaker):
            try:
                async with asyncio.timeout(self._limits.total_seconds):
                    return await call(Bucket=self._options.bucket, **arguments)
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if operation == "head_object" and status in (400, 403):
                    # It has no body to say so, but this is what bad credentials look like.
                    raise NotAccepted(f"{what}: S3 says {status}") from None
                raise refusal(what, status, error.response["Error"]["Code"]) from None
            except UnicodeError:
                raise ObjectChanged(f"{what} is no name of an object") from None
            except (BotoCoreError, TimeoutError) as error:
                raise Passing(Reason.CONNECT, f"{what}: S3 does not answer") from error

    async def _connect(self) -> Any:
        session = await asyncio.to_thread(_session, self._credentials)
        from botocore.exceptions import BotoCoreError

        client = session.create_client(
            "s3",
            region_name=self._options.region,
            endpoint_url=self._options.endpoint or None,
            verify=self._options.ca_file or None,
            config=_config(self._options, self._limits),
        )
        try:
            return await client.__aenter__()
        except BotoCoreError as error:
            raise StorageError(f"S3 cannot be asked: {error}") from error


def _session(source: CredentialSource | None) -> Any:
    """One that asks ``source`` for each request, so that there is one truth about credentials."""
    from aiobotocore.credentials import AioCredentials
    from aiobotocore.session import AioSession

    class Lent(AioCredentials):  # type: ignore[misc]
        async def get_frozen_credentials(self) -> Credentials:
            assert source is not None
            return await source.get()

    class Session(AioSession):  # type: ignore[misc]
        async def get_credentials(self) -> Lent:
            return Lent("", "")

    return Session()


def _config(options: S3Options, limits: Limits) -> Any:
    from aiobotocore.config import AioConfig
    from botocore import UNSIGNED

    return AioConfig(
        signature_version="s3v4" if options.signed else UNSIGNED,
        s3={"addressing_style": "path" if options.in_path else "virtual"},
        connect_timeout=limits.connect_seconds,
        read_timeout=limits.first_byte_seconds,
        retries={"total_max_attempts": 2, "mode": "standard"},
        # Not every S3 knows checksums; nothing that is read here is media.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        warm_up_loader_caches=True,  # in a thread
    )


def _info(said: Any, size: int) -> ObjectInfo:
    return ObjectInfo(size, said["ETag"], known_version(said.get("VersionId")))
