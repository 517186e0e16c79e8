"""The control plane: everything on the port that is not media. An aiohttp application."""
