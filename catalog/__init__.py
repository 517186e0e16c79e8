"""What titles there are and which files make them."""
