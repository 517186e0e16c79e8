"""The ``vod-origin`` command."""
