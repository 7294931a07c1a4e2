"""Text as people write it, to the one HTML that every door shows."""

import unicodedata
from collections.abc import Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from chat.models import MAX_BODY_CHARS
from chatproject.errors import AppError, Code

# What CommonMark can do beyond this belongs to documents, not to messages.
_RULES_OFF = ["heading", "lheading", "hr", "image", "reference", "html_block", "html_inline"]
_TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),  # nh3 would let title and lang through everywhere
    "a": {"href"},
    "p": {"dir"},
    "li": {"dir"},
    "ol": {"start"},
    "pre": {"dir", "tabindex"},
    "code": {"class", "dir"},
}
_MAX_NESTING = 12


def clean_body(raw: str) -> str:
    """``raw`` in NFC with plain line ends, without white space around it.

    Raises AppError INVALID when nothing is left, when it is longer than MAX_BODY_CHARS, or when it holds
    control characters or half a surrogate pair, which PostgreSQL and browsers cannot keep.
    """
    if len(raw) > MAX_BODY_CHARS * 2:
        raise _refused(f"At most {MAX_BODY_CHARS} characters.")
    body = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if any(_is_refused(char) for char in body):
        raise _refused("Control characters are not allowed.")
    if not any(_is_visible(char) for char in body):
        raise _refused("Write something first.")
    if len(body) > MAX_BODY_CHARS:
        raise _refused(f"At most {MAX_BODY_CHARS} characters.")
    return body


def render(body: str) -> str:
    """Safe HTML of a cleaned body: a CommonMark subset with autolinks and strikethrough.

    HTML in the text is shown as text; nh3 stands behind the renderer as a second wall.
    """
    return nh3.clean(
        _markdown.render(body),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow ugc",
    ).strip()


def _refused(message: str) -> AppError:
    return AppError(Code.INVALID, message, fields={"body": [message]})


def _is_refused(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t"


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] not in "ZC" and char not in "\u115f\u1160\u2800\u3164\uffa0"


class _Renderer(RendererHTML):
    """Paragraphs take the direction of their own words; code is always left to right."""

    def paragraph_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return "" if tokens[index].hidden else '<p dir="auto">'

    def list_item_open(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return '<li dir="auto">'

    def code_inline(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return super().code_inline(tokens, index, options, env).replace("<code", '<code dir="ltr"', 1)

    def fence(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return super().fence(tokens, index, options, env).replace("<pre", '<pre dir="ltr" tabindex="0"', 1)

    def code_block(self, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
        return (
            super().code_block(tokens, index, options, env).replace("<pre", '<pre dir="ltr" tabindex="0"', 1)
        )


def _build() -> MarkdownIt:
    options = {"html": False, "linkify": True, "breaks": True, "maxNesting": _MAX_NESTING}
    markdown = MarkdownIt("commonmark", options, renderer_cls=_Renderer)
    return markdown.enable(["linkify", "strikethrough"]).disable(_RULES_OFF)


_markdown = _build()
