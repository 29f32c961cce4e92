"""The one declaration of what Replyguard gets and keeps; schema, purge, export, erase and notice read it."""
