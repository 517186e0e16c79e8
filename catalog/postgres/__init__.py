"""Titles, people and what they watch, in PostgreSQL. Needs ``vod-origin[accounts]``."""
