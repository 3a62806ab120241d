"""Pages in a browser: prints "ok NAME" and "not ok NAME". Arguments: the pages, axe-core, where pictures go."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402

SITE, AXE, PICTURES = sys.argv[1:4]
SIZES = (("phone", 375, 812), ("desk", 1280, 900))
# Each shows something that no other one does.
PAGES = ("index", "a.example", "hostile.example", "day.example", "huge.example", "empty.example")
PICTURED = ("index", "a.example", "hostile.example")


def say(name, good, *found):
    print(("ok " if good else "not ok ") + name)
    if not good:
        for line in found:
            print("# " + str(line)[:600])


def url(name):
    return "file://" + os.path.abspath(f"{SITE}/{name}.html")


def axe(page, source):
    """What axe-core finds wrong, a line for each place."""
    page.run(source + ";0")
    return page.run("""axe.run(document, {resultTypes: ['violations', 'incomplete']}).then(result => result.violations.concat(
        result.incomplete.filter(rule => rule.id === 'color-contrast' && rule.nodes.some(node => node.any.some(
            check => check.data && check.data.contrastRatio > 0 && check.data.contrastRatio < check.data.expectedContrastRatio))))
        .flatMap(rule => rule.nodes.map(node => rule.id + ' ' + node.target + ' ' + (node.failureSummary || '').slice(0, 300))))""")


def try_sizes(page, source):
    for name in PAGES:
        complaints, wide, rules, asked = [], [], [], set()
        for size, width, height in SIZES:
            for scheme in ("light", "dark"):
                page.look(width, height, scheme)
                page.open(url(name))
                complaints += page.complaints()
                asked |= set(page.requests())
                if page.run("document.documentElement.scrollWidth > innerWidth"):
                    wide.append(f"{size}: {page.run('document.documentElement.scrollWidth')}")
                if name in PICTURED:
                    page.screenshot(f"{PICTURES}/{name}-{size}-{scheme}.png")
                page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
                rules += [f"{size} {scheme}: {line}" for line in axe(page, source)]
        say(f"{name}: nothing in the console, and nothing asked for", not complaints, *complaints)
        say(f"{name}: no request but for the page itself", asked == {url(name)}, *asked)
        say(f"{name}: as wide as the screen", not wide, *wide)
        say(f"{name}: axe-core finds nothing", not rules, *rules)


def try_hostile(page):
    page.look(1280)
    page.open(url("hostile.example"))
    say("hostile text has run nothing", page.run("window.pwned === undefined && document.title.startsWith('hostile.example')"))
    say("... and made no element that can", page.run("""document.querySelectorAll('script, img, iframe, object, embed, form, base, link').length
        === 0 && [...document.querySelectorAll('*')].every(each => [...each.attributes].every(one => !one.name.startsWith('on')))"""))
    say("... and is there to be read", page.run("document.body.innerText.includes('<script>window.pwned=1</script>')"))
    page.run("""(() => { const made = document.createElement('script'); made.textContent = 'window.pwned = 1';
        document.body.append(made); const picture = document.createElement('img'); picture.src = 'file:///x.png';
        document.body.append(picture); document.body.setAttribute('style', 'color: red'); })()""")
    say("the policy keeps a script from running, should one get in", page.run("window.pwned === undefined"))
    say("... and a style of its own from counting", page.run("getComputedStyle(document.body).color !== 'rgb(255, 0, 0)'"))
    say("... which the console tells", len(page.complaints()) >= 2, *page.complaints())


def accessible(page, table):
    """The roles of a table's parts, as a screen reader is told of them."""
    page.call("Accessibility.enable")
    nodes = {node["nodeId"]: node for node in page.call("Accessibility.getFullAXTree")["nodes"]}
    role = lambda node: node.get("role", {}).get("value")
    named = [node for node in nodes.values() if role(node) == "table" and node.get("name", {}).get("value", "").startswith(table)]
    found, todo = set(), list(named)
    while todo:
        node = todo.pop()
        found.add(role(node))
        todo += [nodes[child] for child in node.get("childIds", []) if child in nodes]
    page.call("Accessibility.disable")
    return found


def try_cards(page):
    """On a phone nothing is to be scrolled for but what is mere figures, and all that a table has is in its cards."""
    for name in PAGES:
        page.look(390, 844)
        page.open(url(name))
        page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        wide = page.run("""[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth)
            .map(each => each.querySelector('table').className).filter(each => each !== 'days')""")
        say(f"{name}: no table is wider than a phone", not wide, *wide)
        over = page.run("""[...document.querySelectorAll('.cards tbody tr > *')].filter(each => {
            const range = document.createRange(); range.selectNodeContents(each);
            return each.scrollWidth > each.clientWidth + 1 || range.getBoundingClientRect().left < each.getBoundingClientRect().left - 1; })
            .map(each => each.closest('table').className + ': ' + each.textContent)""")
        say(f"{name}: each value is in its place", not over, *over)
        page.look(1280)
        page.open(url(name))
        over = page.run("""[...document.querySelectorAll('tbody td')].filter(each => each.scrollWidth > each.clientWidth + 1)
            .map(each => each.closest('table').className + ': ' + each.textContent)""")
        say(f"{name}: ... and on a desk", not over, *over)
    page.look(390, 844)
    page.open(url("a.example"))
    lines = page.run("""[...document.querySelectorAll('.senders td.n:not(.wide), .networks td.n:not(.wide)')].map(each => {
        each.textContent = '12,345,678'; const range = document.createRange(); range.selectNodeContents(each);
        return range.getClientRects().length; })""")
    say("a figure of a card is in one line", lines and set(lines) == {1}, lines)
    page.open(url("a.example"))
    say("a card shows the evidence", page.run("""[...document.querySelectorAll('table.senders tbody tr')].every(each => {
        const last = each.lastElementChild, box = last.getBoundingClientRect();
        return box.left >= 0 && box.right <= innerWidth && last.textContent.length > 5 &&
            getComputedStyle(last, '::before').content.includes('evidence'); })"""))
    roles = accessible(page, "Who sends as the domain")
    say("... and is a row of a table for who hears it", {"table", "row", "rowheader", "cell", "columnheader"} <= {
        "cell" if each == "gridcell" else each for each in roles}, *roles)


def try_keys(page):
    page.look(375, 812)
    page.open(url("a.example"))
    page.key("Tab", 9)
    say("the first key leads to the way past the head", page.run("document.activeElement.className === 'skip' && "
                                                                "document.activeElement.getBoundingClientRect().left >= 0"))
    seen = []
    for _ in range(13):
        page.key("Tab", 9)
        seen.append(page.run("document.activeElement.getAttribute('aria-labelledby') || document.activeElement.tagName"))
    say("keys reach every table, and what is closed", all(name in seen for name in (
        "A", "SUMMARY", "senders-caption", "networks-caption", "reporters-caption", "coverage-caption", "policies-caption")), *seen)
    page.run("document.querySelector('details').open = true")
    page.run("document.querySelector('[aria-labelledby=days-caption]').focus()")
    before = page.run("document.activeElement.scrollLeft")
    for _ in range(5):
        page.key("ArrowRight", 39)
    page.run("new Promise(done => setTimeout(done, 300))")
    say("... which scrolls by keys", page.run("document.activeElement.scrollLeft") > before)
    say("focus can be seen", page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid")


def try_schemes(page):
    colors = {}
    for scheme, media in (("light", "screen"), ("dark", "screen"), ("dark", "print")):
        page.look(1280, 900, scheme, media)
        page.open(url("a.example"))
        colors[scheme, media] = page.run("getComputedStyle(document.body).color")
    say("dark is another page", colors["light", "screen"] != colors["dark", "screen"])
    say("paper is light, whatever the screen is", colors["dark", "print"] == colors["light", "screen"], colors)
    say("paper shows what is closed", page.run("document.querySelector('details table').checkVisibility()"))
    page.look(680, 900, "light", "print")  # what A4 leaves between margins of 15 mm
    wide = []
    for name in set(PAGES) - {"huge.example"}:  # figures of 27 digits stay in one piece
        page.open(url(name))
        wide += page.run("""[...document.querySelectorAll('table')].filter(each => each.scrollWidth > document.querySelector('main').clientWidth + 1)
            .map(each => document.title + ' ' + each.className + ' ' + each.scrollWidth)""")
    say("... no wider than itself", not wide, *wide)
    page.open(url("a.example"))
    say("... and scrolls nothing", page.run("getComputedStyle(document.querySelector('.scroll')).overflowX === 'visible'"))


def main():
    os.makedirs(PICTURES, exist_ok=True)
    with open(AXE, encoding="utf-8") as file:
        source = file.read()
    browser = Browser()
    try:
        page = browser.page()
        try_sizes(page, source)
        try_hostile(page)
        try_cards(page)
        try_keys(page)
        try_schemes(page)
    finally:
        browser.close()


main()
