"""WordPress's own export (Tools, Export): WXR, an RSS file with the comments inside the posts."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from service.importing.exported import ImportRefused, Row, storable
from service.importing.wordpress import META_KEYS, exported
from service.importing.xml_stream import MendedXml, drop, elements, name_of, texts_of

#: What the export calls the authors of posts; of what they may do on the site it says nothing.
AUTHOR_ROLE = "author"
# Depths of elements: rss, channel, item, comment.
_ITEM = 3
_ITEM_CHILD = 4


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
        depth = len(path)
        # What is deeper comes with its parent.
        if depth > _ITEM_CHILD:
            continue
        element = path[-1]
        name = name_of(element)
        if event == "start":
            if depth == 1 and name != "rss":
                raise ImportRefused(
                    "this is no WordPress export: its first element is not <rss>; make one in wp-admin under"
                    " Tools, Export, All content"
                )
            if depth == _ITEM and name == "item":
                permalink, tags = "", []
        elif depth == _ITEM_CHILD and name_of(path[-2]) == "item":
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
        elif depth == _ITEM:
            if name == "author":
                authors.add(texts_of(element).get("author_id", ""))
                authors -= {"", "0"}
            drop(path)


def _meta(comment: Element) -> Iterator[tuple[str, str]]:
    for child in comment:
        if name_of(child) == "commentmeta":
            texts = texts_of(child)
            key = texts.get("meta_key", "")
            if key in META_KEYS:
                yield key, texts.get("meta_value", "")
