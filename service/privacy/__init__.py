"""The notice that commenters read, and the line that leads to it."""
