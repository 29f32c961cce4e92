"""Turns a comment into a score and a verdict; pure: no web, no database, no clock, no settings."""

__version__ = "0.1.0.dev0"
