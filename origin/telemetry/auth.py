"""Metrics of who is let in: what the gate decided, and what it takes to verify a credential."""

from __future__ import annotations

from origin.telemetry.board import Board, Counter, Histogram

SCHEMES = ("path", "cat", "cloudfront", "akamai", "jwt", "none")
"""``none``: of a request without a credential."""
REASONS = ("ok", "unverified", "missing", "refused", "revoked", "ended", "elsewhere")

DECISIONS = Counter(
    "vod_auth_decisions_total",
    "Requests for media that were let in (allow) or not (deny), and why: not by way of the CDN"
    " (unverified), no credential (missing), one that does not open it (refused), a session that"
    " was revoked or has ended, or sent elsewhere.",
    ("scheme", "decision", "reason"),
    tuple(
        (scheme, "allow" if reason == "ok" else "deny", reason)
        for scheme in SCHEMES
        for reason in REASONS
    ),
)
VERIFY = Histogram(
    "vod_auth_verify_seconds",
    "Time to verify a credential that was not seen before.",
    (0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025),
    ("scheme",),
    tuple((scheme,) for scheme in SCHEMES if scheme != "none"),
)
GRACE = Counter(
    "vod_auth_grace_total",
    "Manifests that were answered without asking for the session, for Redis was away.",
)

FAMILIES = (DECISIONS, VERIFY, GRACE)


class VerifyTimes:
    """One worker's."""

    def __init__(self, board: Board, worker: int) -> None:
        self._seconds = {
            scheme: board.distribution(worker, VERIFY, (scheme,)) for (scheme,) in VERIFY.children
        }

    def observe(self, scheme: str, seconds: float) -> None:
        self._seconds[scheme].observe(seconds)
