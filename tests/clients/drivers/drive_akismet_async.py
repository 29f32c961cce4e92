"""PyPI ``akismet``, asynchronous client, as a context manager, timeout as it ships."""

import asyncio
import json
import os

import akismet
from conversation import Task, converse

SAID = {
    akismet.CheckResponse.HAM: "ham",
    akismet.CheckResponse.SPAM: "spam",
    akismet.CheckResponse.DISCARD: "discard",
}


async def carry_out(task: Task) -> str:
    os.environ["PYTHON_AKISMET_API_KEY"] = task["key"]
    os.environ["PYTHON_AKISMET_BLOG_URL"] = task["blog"]
    if task["do"] == "verify":
        try:
            async with akismet.AsyncClient():
                return "valid"
        except akismet.APIKeyError:
            return "invalid"
    client = akismet.AsyncClient()
    match task["do"]:
        case "check":
            return SAID[await client.comment_check(**task["comment"])]
        case "submit-spam":
            return "thanks" if await client.submit_spam(**task["comment"]) else "error"
        case "submit-ham":
            return "thanks" if await client.submit_ham(**task["comment"]) else "error"
        case "usage-limit":
            return json.dumps(await client.usage_limit())
        case "key-sites":
            return json.dumps(await client.key_sites())
    raise ValueError(task["do"])


converse(lambda task: asyncio.run(carry_out(task)))
