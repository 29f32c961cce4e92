"""PyPI ``akismet-async``: another package, another author, but the same import name as ``akismet``."""

import asyncio

from akismet import Akismet
from conversation import Task, converse

SAID = {"ham": "ham", "probable_spam": "spam", "definite_spam": "discard"}


async def carry_out(task: Task) -> str:
    # The one client that calls the type of a comment `content_type`.
    comment = {"referrer": "https://www.example/"} | task["comment"]
    if "comment_type" in comment:
        comment["content_type"] = comment.pop("comment_type")
    client = Akismet(api_key=task["key"], blog=task["blog"])
    match task["do"]:
        case "verify":
            return "valid" if await client.verify_key() else "invalid"
        case "check":
            return SAID[await client.check(comment)]
        case "submit-spam":
            await client.submit_spam(comment)
            return "thanks"
        case "submit-ham":
            await client.submit_ham(comment)
            return "thanks"
    raise ValueError(task["do"])


converse(lambda task: asyncio.run(carry_out(task)))
