"""What it takes: from an audience and measured figures to pods, S3 requests and money.

``inputs`` says everything that can be set, once: options, TOML and pages are made of it. ``model``
is arithmetic over them. Hit ratios are given, and where they come from is ``caches`` (Che's
approximation of LRU), which ``simulation`` holds to caches that really keep and forget.
"""
