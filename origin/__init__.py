"""The origin server: everything that reads, answers, waits and logs."""
