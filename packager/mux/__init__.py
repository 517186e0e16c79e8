"""Containers: how samples become segments."""
