"""Making media: for now, a sample library."""
