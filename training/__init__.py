"""Turns labelled comments into a fitted version and a report; knows no web, database or clock."""
