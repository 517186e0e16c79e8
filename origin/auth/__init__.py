"""Who may watch what: tokens that come with a request."""
