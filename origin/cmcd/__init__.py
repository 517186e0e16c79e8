"""What players tell of a playback: Common Media Client Data (CTA-5004, versions 1 and 2).

    structured.py  bytes of a structured field -> values (RFC 9651), in bounds
    report.py      values -> one report: the keys that mean something here, each within its limits
    parse.py       a query, four header fields or a body -> reports
    sessions.py    reports of one playback -> start-up, waiting, playing, and how it began
    inbox.py       reports off the hot path: queued, read in small batches, sent to who keeps them

What players tell is not trusted: it has bounds in size, number and time, it can make no new series
of metrics, and a session's own reports can spoil no figure but its own.
"""
