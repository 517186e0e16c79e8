"""Who may have media.

gate.py         the data plane's question for each request: which media path, if any
path_token.py   the token that stands in the path: made, and verified
keys.py         the keys it is made with; key_lines.py: the lines of any file of keys
visit.py        what the gate and the kinds of token say to each other
schemes/        the kinds of token
reread.py       a file that is read again when it changes
"""
