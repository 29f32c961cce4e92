"""Asks, answers and keeps: the web, the database and the people around the model."""
