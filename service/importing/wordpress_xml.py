"""WordPress's own export (Tools, Export): WXR, an RSS file with the comments inside the posts."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from service.importing.exported import ImportRefused, Row, storable
from service.importing.wordpress import META_KEYS, exported
from service.importing.xml_stream import MendedXml, drop, elements, name_of, texts_of

#: What the export calls the authors of posts; of what they may do on the site it says nothing.
AUTHOR_ROLE = "author"


def read(stream: MendedXml, *, site: str) -> Iterator[Row]:
    """Yield the comments of a WXR file, in its order.

    Raises
    ------
    ExportMalformed, ImportRefused
        If it breaks off, or is another sort of file.
    """
    authors: set[str] = set()
    permalink = ""
    tags: list[str] = []
    for event, path in elements(stream):
        name = name_of(path[-1])
        if event == "start":
            if len(path) == 1 and name != "rss":
                raise ImportRefused(
                    "this is no WordPress export: its first element is not <rss>; make one in wp-admin under"
                    " Tools, Export, All content"
                )
            if name == "item" and len(path) == 3:
                permalink, tags = "", []
            continue
        parents = [name_of(element) for element in path[:-1]]
        if parents == ["rss", "channel", "item"]:
            element = path[-1]
            if name == "link":
                permalink = storable((element.text or "").strip())
            elif name == "category" and element.get("domain") in ("category", "post_tag", "tag"):
                tags.append(storable(element.text or ""))
            elif name == "comment":
                fields = texts_of(element)
                role = AUTHOR_ROLE if fields.get("comment_user_id", "0") in authors else ""
                yield exported(
                    fields, _meta(element), site=site, permalink=permalink, tags=tuple(tags), user_role=role
                )
            drop(path)
        elif parents == ["rss", "channel"]:
            if name == "author":
                authors.add(texts_of(path[-1]).get("author_id", ""))
                authors -= {"", "0"}
            drop(path)


def _meta(comment: Element) -> Iterator[tuple[str, str]]:
    for child in comment:
        if name_of(child) == "commentmeta":
            texts = texts_of(child)
            key = texts.get("meta_key", "")
            if key in META_KEYS:
                yield key, texts.get("meta_value", "")
