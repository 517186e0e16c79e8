"""The API for viewers and staff: accounts, the catalogue, playback (docs/api.md)."""
