"""The Akismet 1.1 and 1.2 wire, as its clients use it: parse, call one use case, answer."""
