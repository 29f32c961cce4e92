"""Reads comments out of what blog software exports, one at a time; knows neither the database nor the model."""
