"""Looks at pages as an XML parser does: prints "ok NAME" and "not ok NAME". Arguments: the pages, the shell's JSON."""
import base64
import hashlib
import json
import os
import re
import sys
import xml.etree.ElementTree as ET

SITE, FIGURES = sys.argv[1:3]
CLASSES = ["authorised", "misconfigured", "forwarded", "unknown"]
ELEMENTS = set("""html head meta title style body a svg defs pattern rect circle header span nav main h1 h2 p b bdi section dl div dt dd
    ol ul li details summary table caption thead tbody tr th td footer time code path line text desc""".split())
ATTRIBUTES = set("""lang charset http-equiv content name class href id aria-hidden aria-label aria-labelledby focusable width height
    patternUnits patternTransform x y cx cy r data-label tabindex role fill viewBox preserveAspectRatio d x1 x2 y1 y2 dx dy scope
    datetime""".split())


def say(name, good, *found):
    print(("ok " if good else "not ok ") + name)
    if not good:
        for line in found:
            print("# " + repr(line)[:300])


def text_of(element):
    return "".join(element.itertext())


def rows_of(page, table):
    """The rows of a table as dictionaries by the words of its head."""
    found = next(each for each in page.iter("table") if each.get("class").split()[0] == table)
    head = [text_of(th) for th in found.findall("thead/tr/th")]
    return [dict(zip(head, map(text_of, tr))) for tr in found.findall("tbody/tr")]


pages, bytes_of = {}, {}
broken = []
for file in sorted(os.listdir(SITE)):
    with open(os.path.join(SITE, file), "rb") as source:
        bytes_of[file] = source.read()
    try:
        pages[file] = ET.fromstring(bytes_of[file])
    except ET.ParseError as error:
        broken.append(f"{file}: {error}")
say("all pages are well-formed", not broken, *broken)
say("all pages were read", len(pages) == 10, list(pages))

strange, links, policies, styles = set(), set(), set(), set()
for file, page in pages.items():
    for element in page.iter():
        strange |= {element.tag} - ELEMENTS
        strange |= {f"{element.tag} {name}" for name in element.attrib if name not in ATTRIBUTES}
        strange |= {value for name, value in element.attrib.items() if name == "fill" and not re.fullmatch(r"url\(#p-[a-z]+\)", value)}
        if "href" in element.attrib:
            links.add((file, element.get("href")))
    policies.add(page.find("head/meta[@http-equiv='Content-Security-Policy']").get("content"))
    styles.add(page.find("head/style").text)
say("no element and no attribute but ours", not strange, *strange)
dead = [link for link in links if link[1] not in pages and
        pages[link[0]].find(f".//*[@id='{link[1].removeprefix('#')}']") is None]
say("each link leads to a page or to a place in it", links and not dead, *dead)
say("nothing is asked for from elsewhere", not any(re.search(rb"""(href|src|url|content)\s*[=(]\s*["']?\s*(\w+:)?//""", data) or
                                                   re.search(rb"@import|<(link|script|img|iframe|object|base)\b", data)
                                                   for data in bytes_of.values()))
say("no style of an element's own", not any(b" style=" in data for data in bytes_of.values()))
say("one style for all", len(styles) == 1)
digest = base64.b64encode(hashlib.sha256(styles.pop().encode()).digest()).decode()
wanted = f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'none'; base-uri 'none'; form-action 'none'"
say("one policy for all, with the sum of the style", policies == {wanted}, *policies)
say("no control, bidi or zero-width character", not any(
    re.search("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", data.decode())
    for data in bytes_of.values()))

hostile = pages["hostile.example.html"]
say("hostile text is there to be read", all(word in text_of(hostile) for word in (
    "<script>window.pwned=1</script>", "</style></title></svg><svg onload=window.pwned=1>", "\\u{202E}gnp.exe\\u{2066}",
    "\\x1b[31mred\\x1b]0;title\\x07", "&lt;b&gt;&#x3c;i&#62; <!-- ]]> -->", "long" * 75)))

with open(f"{FIGURES}/senders.json") as file:
    senders = json.load(file)
for domain in ("a.example", "many.example", "huge.example"):
    found = [(row["sender"], row["class"], row["messages"], row["last seen"]) for row in rows_of(pages[domain + ".html"], "senders")]
    said = [(row["sender"], row["class"], f"{row['messages']:,}", row["last_seen"]) for row in senders if row["domain"] == domain]
    say(f"{domain}: the senders of the shell, a hundred at most", found and found == said[:100], *zip(found, said))
say("many.example: who has the rest", "The first 100 of 120 rows; whosends senders many.example has all" in
    text_of(pages["many.example.html"]))
with open(f"{FIGURES}/reporters.json") as file:
    said = [(row["reporter"], f"{row['messages']:,}", row["last_seen"]) for row in json.load(file) if row["domain"] == "a.example"]
found = [(row["reporter"], row["messages"], row["last day"]) for row in rows_of(pages["a.example.html"], "reporters")]
say("a.example: the reporters of the shell", found == said, found, said)

with open(f"{FIGURES}/coverage.json") as file:
    coverage = json.load(file)
for domain in ("a.example", "hostile.example"):
    said = [(row["note"] or "\u2013", f"{row['usual_per_week']:.1f}", row["last_seen"])
            for row in coverage if row["domain"] == domain and row["reporter"]]
    found = [(row["what is missing"], row["days a week"], row["last day"]) for row in rows_of(pages[domain + ".html"], "coverage")]
    say(f"{domain}: the coverage of the shell", len(found) > 2 and sorted(found) == sorted(said), found, said)
missing = pages["a.example.html"].find(".//section[@aria-labelledby='missing']")
say("a.example: what is missing of all reports", text_of(missing.find("p")) == (
    "There are reports of 5.8 days a week, the last of 2026-09-30: no report at all for 31 days; no report at all of 5 days between. "
    "Days without any report: 2026-09-21 to 2026-09-25, 2026-10-01 to 2026-10-31."), text_of(missing.find("p")))
rows = {row["reporter"]: row for row in rows_of(pages["a.example.html"], "coverage")}
say("a.example: days that a reporter missed", rows["daily.example"]["missing days"].startswith("2026-09-08 to 2026-09-09, 2026-09-12, 2026-09-19 to "),
    rows)
say("day.example: nobody can be missed", "No reporter reports so often" in text_of(pages["day.example.html"]))

with open(f"{FIGURES}/timeline.json") as file:
    timeline = {row["day"]: row for row in json.load(file)}
table = rows_of(pages["a.example.html"], "days")
say("a.example: the days of the shell, and those between without a report", len(table) == 30 and all(
    row[name] == (f"{timeline[row['day']][name]:,}" if row["day"] in timeline else "\u2013")
    for row in table for name in CLASSES + ["messages", "reports"]), *table[18:26])


def heights(page, name):
    """What an area of the chart stands for at each of its steps, by its own scale."""
    chart = page.find(".//svg[@class='chart']")
    marks = {}
    for line, label in zip(chart.findall("line"), chart.findall("text[@class='scale']")):
        marks[label.text] = float(line.get("y1")) - 8
    area = [path for path in chart.iter("path") if path.get("fill") == f"url(#p-{name})"]
    steps = [(float(x), float(y)) for x, y in re.findall(r"H([\d.]+)V([\d.]+)", area[0].get("d"))][:-1] if area else []
    return steps, marks


steps, marks = heights(pages["a.example.html"], "authorised")
unit = (marks["0"] - marks["500"]) / 500
drawn = {round(x * 30 / 1000): round((marks["0"] - y) / unit) for x, y in steps}
wrong = [(n, drawn[n], timeline.get(f"2026-09-{n + 1:02}")) for n in drawn
         if abs(drawn[n] - timeline.get(f"2026-09-{n + 1:02}", {"authorised": 0})["authorised"]) > 5]
say("a.example: the area is as high as the figures", len(drawn) > 20 and not wrong and drawn[20] == 0, *wrong)
say("a.example: all four classes have an area", all(heights(pages["a.example.html"], name)[0] for name in CLASSES))
labels = {domain: [text.text for text in pages[domain + ".html"].find(".//svg[@class='chart']").findall("text") if text.get("class").startswith("day")]
          for domain in ("a.example", "hostile.example", "huge.example")}
say("days are written at even distances, with both ends", labels == {
    "a.example": [f"{n} Sep" for n in (1, 6, 11, 16, 21, 26, 30)], "hostile.example": [f"{n} Sep" for n in range(11, 24, 2)],
    "huge.example": ["10 Sep", "11 Sep", "12 Sep"]}, labels)
advice = [text_of(li) for li in pages["a.example.html"].findall(".//ol[@class='advice']/li")]
say("a.example: the advice, with arrows that no line is broken in", any(
    "Mailchimp (4,500 messages do not pass): CNAME k2._domainkey.a.example \u2192 dkim2.mcsv.net" in text for text in advice) and
    not any("->" in text or "(0 messages" in text for text in advice), *advice)
say("a.example: testing in words", {row["testing"] for row in rows_of(pages["a.example.html"], "policies")} <= {"no", "yes", "\u2013"})
say("huge.example: one class has an area, which fits", [bool(heights(pages["huge.example.html"], name)[0]) for name in CLASSES] ==
    [True, False, False, False] and all(0 <= y <= 208 for x, y in heights(pages["huge.example.html"], "authorised")[0]))
say("huge.example: figures to the last digit", "126,000,000,000,000,000,000" in text_of(pages["huge.example.html"]))
say("day.example: one day is a bar", pages["day.example.html"].find(".//svg[@class='chart']") is None and
    len(pages["day.example.html"].findall(".//div[@class='figure']/svg/rect")) == 2)
say("day.example: which day that is", "All reports of this period are of 2026-09-10." in text_of(pages["day.example.html"]))
labels = [text.text for text in pages["years.example.html"].find(".//svg[@class='chart']").findall("text") if text.get("class").startswith("day")]
say("years.example: days of many years have their year", labels[0] == "Jan 2020" and all(re.fullmatch(r"[A-Z][a-z]{2} 202\d", label) for label in labels),
    labels)
say("years.example: two hundred steps at most, none left out", 50 < len(rows_of(pages["years.example.html"], "days")) <= 201 and
    sum(int(row["messages"]) for row in rows_of(pages["years.example.html"], "days") if row["messages"] != "\u2013") == 201 * 202 // 2)
say("empty.example: no chart of nothing", "The reports of this period tell of no message" in text_of(pages["empty.example.html"]) and
    not pages["empty.example.html"].findall(".//div[@class='figure']"))
unlabelled = [(file, text_of(cell)) for file, page in pages.items() for table in page.iter("table") if "cards" in table.get("class")
              for row in table.findall("tbody/tr") for head, cell in zip(table.findall("thead/tr/th"), row)
              if cell.tag == "td" and cell.get("data-label") != text_of(head)]
say("each cell of a card has the heading of its column", not unlabelled, *unlabelled)
key = [[text_of(span) for span in li.findall("span")] for li in pages["index.html"].findall(".//ul[@class='key']/li")]
say("the index: what is little is not nothing, and what is not all is not all", [row[2] for row in key] == ["99.9%", "<0.1%", "<0.1%", "<0.1%"], *key)
say("empty.example: reports without mail have a page", "empty.example" in text_of(pages["empty.example.html"]))

index = rows_of(pages["index.html"], "index")
say("the index: the most misconfigured mail first", index[0]["domain"] == "a.example" and len(index) == 9,
    [row["domain"] for row in index])
for file, page in pages.items():
    levels = [int(element.tag[1]) for element in page.iter() if re.fullmatch("h[1-6]", element.tag)]
    heads = [th for th in page.iter("th") if th.get("scope") not in ("col", "row")]
    tables = [table for table in page.iter("table") if table.find("caption") is None]
    regions = [element for element in page.iter() if element.get("role") == "region" and (
        element.get("tabindex") != "0" or page.find(f".//*[@id='{element.get('aria-labelledby')}']") is None)]
    images = [svg for svg in page.iter("svg") if svg.get("role") == "img" and (svg.find("title") is None or svg.find("desc") is None)]
    if levels[:1] != [1] or levels.count(1) != 1 or max(levels) > 2 or heads or tables or regions or images:
        say(f"{file}: headings, tables and charts are named", False, levels, heads, tables, regions, images)
say("headings, tables and charts were looked at", True)
