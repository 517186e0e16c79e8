"""The data plane: a small, strict HTTP/1.1 server for the media paths of one port.

    server.py      accepts, ticks, drains
    connection.py  one connection: requests in, answers out, in order
    request.py     bytes -> requests (httptools, and the checks llhttp leaves out)
    answer.py      request x resource -> status, fields, body; conditional.py and ranges.py decide
    writer.py      a body onto the wire: sendfile for files, spans.py for their small pieces
    native.py      the hot path compiled, if it is built: _native.c beside its twins in Python
    handover.py    every other request, to the control plane's protocol over a virtual transport

What a path means is the caller's: a ``Handler`` returns a ``Resource`` or raises, and ``describe``
turns what it raised into a ``Problem``.
"""
