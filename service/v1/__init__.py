"""Our own JSON API: checks with reasons, feedback, policies and lists; described by its OpenAPI document."""
