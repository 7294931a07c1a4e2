"""Names and other people's words stand apart from the text around them, whatever direction they have.

``<bdi>`` and ``dir="auto"`` isolate in markup (HTML, 15.3.4), FSI and PDI in plain text (Unicode TR 9, 6.1).
Nothing runs here: the templates and modules are read.
"""

import re
from html.parser import HTMLParser

import pytest

from tests.services import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = [path for path in sorted((ROOT / "static/js").rglob("*.js")) if "vendor" not in path.parts]
# What a person or a thing is called, by the last word of an expression.
PEOPLE = "display_name|author|person|subject|reporter|assignee|actor|decided_by|lifted_by|deleted_by"
THINGS = "sanction\\.user|room|room\\.name|item\\.name|application\\.name|rule|place|preview\\.author"
NAME = re.compile(rf"(?:^|\.)(?:{PEOPLE}|{THINGS})$")
GIVEN, END = "{% blocktranslate with name=user.display_name %}", "{% endblocktranslate %}"
SENTENCE = re.compile(r"{% blocktranslate[^%]* with (.*?) %}(.*?){% endblocktranslate %}", re.DOTALL)
# Elements whose content is text alone.
TEXT_ONLY = {"title", "option", "textarea"}
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "use", "wbr"}


class Names(HTMLParser):
    """Finds names in a template that stand in no element of their own."""

    def __init__(self, template):
        super().__init__()
        self.stack, self.bare = [], []
        # Blocks that a parent puts into the title of the page.
        text = re.sub(r"{% block (?:title|heading) %}.*?{% endblock[^%]*%}", "", template, flags=re.DOTALL)
        text = re.sub(
            r"{% blocktranslate[^%]* with (.*?) %}(.*?){% endblocktranslate %}",
            _unfold,
            text,
            flags=re.DOTALL,
        )
        text = re.sub(r"{#.*?#}|{%.*?%}", "", text, flags=re.DOTALL)
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.stack.append((tag, dict(attrs).get("dir")))

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tag, direction = self.stack[-1] if self.stack else ("", None)
        for expression in re.findall(r"{{\s*(.*?)\s*}}", data):
            if is_name(expression) and tag != "bdi" and direction != "auto" and tag not in TEXT_ONLY:
                self.bare.append(expression)


def is_name(expression):
    """Whether an expression says what somebody or something is called; its filters take nothing from that."""
    name, *filters = expression.split("|")
    return bool(NAME.search(name)) and not {"first_letter", "initials", "bead_class", "tile_class"} & set(
        filters
    )


def _unfold(found):
    """What a translated sentence is told: {{ name }} stands for what it was given."""
    given = dict(pair.split("=", 1) for pair in found[1].split() if "=" in pair)
    return re.sub(r"{{ (\w+) }}", lambda word: f"{{{{ {given.get(word[1], word[1])} }}}}", found[2])


@pytest.mark.parametrize(
    ("template", "bare"),
    [
        ("<p>{{ user.display_name }} is here</p>", ["user.display_name"]),
        ("<p><bdi>{{ user.display_name }}</bdi> is here</p>", []),
        ('<p dir="auto">{{ room.name }}</p>', []),
        ("<title>{{ room.name }}</title>", []),
        ('<p aria-label="{{ room.name }}">x</p>', []),
        (f"<p>{GIVEN}I am {{{{ name }}}}{END}</p>", ["user.display_name"]),
        (f"<p>{GIVEN}I am <bdi>{{{{ name }}}}</bdi>{END}</p>", []),
        ("<bdi>{{ a.author }}</bdi><br>{{ b.author }}", ["b.author"]),
    ],
)  # fmt: skip
def test_a_bare_name_is_seen(template, bare):
    assert Names(template).bare == bare


def test_every_name_of_a_template_is_isolated():
    bare = {str(path.relative_to(ROOT)): Names(path.read_text(encoding="utf-8")).bare for path in TEMPLATES}
    assert {path: names for path, names in bare.items() if names} == {}


# In a module a name stands in a template literal: as the content of an element, in an attribute, or isolated.
DRAWN = re.compile(
    r"\$\{(?!isolated\(|firstLetter\()(?P<name>[^{}`]*?\b(?:display_name|displayName|room\.name|room_name|preview\.author)\b[^{}`]*)\}"
)
ISOLATED = re.compile(r"""(?:<bdi>|dir="auto">|\s[a-z-]+=|\s[a-zA-Z-]+=\$\{[^{}]*`[^`]*)$""")


def bare_names(module):
    """The names that turn what stands around them."""
    return [found["name"] for found in DRAWN.finditer(module) if not ISOLATED.search(module[: found.start()])]


@pytest.mark.parametrize(
    ("module", "bare"),
    [
        ("html`<p>${user.display_name} is here</p>`", ["user.display_name"]),
        ("html`<p><bdi>${user.display_name}</bdi> is here</p>`", []),
        ('html`<p dir="auto">${room.name}</p>`', []),
        ("html`<input value=${room.name} />`", []),
        ("html`<p aria-label=${`About ${room.name}`}></p>`", []),
        ("say(`${room.name} is closed`)", ["room.name"]),
        ("say(`${isolated(room.name)} is closed`)", []),
        ('html`<b dir="auto">${isMe ? "You" : user.display_name}</b>`', []),
        ('html`<b>${isMe ? "You" : user.display_name}</b>`', ['isMe ? "You" : user.display_name']),
    ],
)
def test_a_bare_name_is_seen_in_a_module(module, bare):
    assert bare_names(module) == bare


def test_every_name_of_a_module_is_isolated():
    bare = {str(path.relative_to(ROOT)): bare_names(path.read_text(encoding="utf-8")) for path in MODULES}
    assert {path: names for path, names in bare.items() if names} == {}
