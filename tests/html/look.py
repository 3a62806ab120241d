#!/usr/bin/python3
"""Pictures of pages for a review: tests/html/look.py OUT FILE... makes OUT/NAME-{phone,desk}-{light,dark}.png."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402


def main(out, files):
    os.makedirs(out, exist_ok=True)
    browser = Browser()
    try:
        page = browser.page()
        for file in files:
            name = os.path.basename(file).removesuffix(".html")
            for size, width in (("phone", 375), ("desk", 1280)):
                for scheme in ("light", "dark"):
                    page.look(width, 812 if width < 600 else 900, scheme)
                    page.open("file://" + os.path.abspath(file))
                    page.screenshot(f"{out}/{name}-{size}-{scheme}.png")
    finally:
        browser.close()


main(sys.argv[1], sys.argv[2:])
