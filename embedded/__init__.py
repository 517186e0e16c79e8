"""Real servers out of Python packages, for a quick start and for tests.

process.py    a server as a child process: it ends with whoever started it
valkey.py     Valkey, for sessions
postgres.py   PostgreSQL, for the catalogue

They listen on sockets in their own folders, so no port is taken, and nothing outside of these is
written. What a server keeps there is there again at the next start.
"""
