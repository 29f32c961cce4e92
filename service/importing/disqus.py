"""Disqus's export: one XML file, first the threads (pages), then the posts (comments)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from model.comment import Comment
from service.importing.exported import Exported, ImportRefused, Row, Status, parse_date, storable
from service.importing.xml_stream import MendedXml, drop, elements, name_of, texts_of

_ID = "{http://disqus.com/disqus-internals}id"


def read(stream: MendedXml, *, site: str) -> Iterator[Row]:
    """Yield the comments of a Disqus export, in its order.

    Raises
    ------
    ExportMalformed, ImportRefused
        If it breaks off, or is another sort of file.
    """
    # Disqus writes all threads before all posts; this is the one thing that grows with the site.
    links: dict[str, str] = {}
    for event, path in elements(stream):
        element = path[-1]
        name = name_of(element)
        if event == "start":
            if len(path) == 1 and name != "disqus":
                raise ImportRefused(
                    "this is no Disqus export: its first element is not <disqus>; make one under"
                    " Admin, Community, Export"
                )
            continue
        if len(path) != 2:
            continue
        if name == "thread":
            links[element.get(_ID, "")] = texts_of(element).get("link", "")
        elif name == "post":
            yield _exported(element, links, site)
        drop(path)


def _exported(post: Element, links: dict[str, str], site: str) -> Exported:
    texts = texts_of(post)
    children = {name_of(child): child for child in post}
    author = texts_of(children["author"]) if "author" in children else {}
    thread = children["thread"].get(_ID, "") if "thread" in children else ""
    is_reply = "parent" in children and bool(children["parent"].get(_ID))
    if texts.get("isSpam", "").strip() == "true":
        status = Status.SPAM
    elif texts.get("isDeleted", "").strip() == "true":
        status = Status.TRASH
    else:
        status = Status.APPROVED
    return Exported(
        comment=Comment(
            body=texts.get("message", ""),
            author=author.get("name", ""),
            email=author.get("email", ""),
            url=author.get("link", ""),
            site=site,
            permalink=links.get(thread, ""),
            kind="reply" if is_reply else "comment",
        ),
        status=status,
        id=storable(post.get(_ID, "")),
        written_at=parse_date(texts.get("createdAt", "")),
        ip=texts.get("ipAddress", "").strip(),
    )
