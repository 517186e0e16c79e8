"""S3, and whatever speaks like it: a bucket as the place where media lies.

storage      a prefix of a bucket as a library
fallback     two of them that hold the same
client       a range of an object, every byte of it right, or an error
objects      what else is asked of S3: HEAD, list, put, restore (through aiobotocore)
credentials  whose requests these are, renewed while they are used
pool         connections that are kept, and the one that answers
connection   HTTP/1.1 on one of them
replies      what a reply must be, and what an error means
restraint    when to ask again, when to ask twice, and when not to ask at all
sigv4        AWS Signature Version 4
options      where the bucket is, and how long to wait for it

A web server that S3 is not (``origin.storage.http``) is read by the same client.
"""
