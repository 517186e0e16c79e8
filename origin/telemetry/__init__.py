"""What operators see: metrics of all workers behind one endpoint, and a sampled access log."""
