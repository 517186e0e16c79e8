"""Who may have media.

gate.py         the data plane's question for each request: which media path, if any
path_token.py   the token that stands in the path: made, and verified
keys.py         the keys it is made with, read again when their file changes
"""
