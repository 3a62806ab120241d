"""Who sends as a domain of a generated year, with what that has to be called: bench/year.txt and the catalogue of senders.

The expected names and classes are those that year.txt says for what it plants. Nothing here asks whosends, and nothing works out
a class: whoever plants a product that signs as itself alone knows what he has planted.
"""
import csv
import functools
import ipaddress
import os
import re
from xml.sax.saxutils import escape

import generate

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICE_ADDRESSES = 512
RELAYS = ("mailbox", "gateway", "forwarder", "list")
SELECTORS = ("mail2026", "dkim", "default", "s1", "s2", "k1", "selector1", "key1", "x", "main", "2025a")
HOSTILE = ("<script>alert(1)</script>", "=cmd|' -C calc'!A1.test", "a b.test", 'quote"quote.test', "amazonses.com\u202etest",
           "mailserver", "a" * 64 + ".test", "two..dots.test", "semi;colon.test", "pass%s%n.test", "a,b.test", "back\\slash.test",
           "sendgrid.net,pass")
BELOW = ("", "", "mail12.", "bounce.", "eu1.", "a.b.")
COMMENTS = {"local_policy": "arc=pass"}


class Catalogue:
    """The senders that come with whosends, by the CSV files, in groups as year.txt names them."""

    def __init__(self):
        with open(os.path.join(HERE, "../sql/senders.csv"), encoding="utf-8", newline="") as file:
            self.senders = {row["key"]: row for row in csv.DictReader(file)}
        self.rules, self.patterns = {}, {}
        with open(os.path.join(HERE, "../sql/sender_rules.csv"), encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                self.patterns.setdefault(row["kind"], set()).add(row["pattern"])
                if row["tenant"] == "false" and "/" not in row["pattern"]: # nor host and selector together
                    self.rules.setdefault(row["sender"], {}).setdefault(row["kind"], []).append(row["pattern"])
        self.number = {key: i for i, key in enumerate(sorted(self.senders))}
        for selector in SELECTORS:
            if self.patterns["dkim_selector"] & {selector, re.sub("[0-9]+", "#", selector)}:
                raise ValueError(f"{selector} says something")

    def known(self, name):
        """Whether a rule is about the name or what it is below."""
        labels = name.split(".")
        return any(".".join(labels[i:]) in self.patterns["dkim_domain"] | self.patterns["spf_domain"] for i in range(len(labels)))

    def choices(self, key, what):
        """Of a sender: the patterns for such a part of a row."""
        rules = self.rules.get(key, {})
        if what == "base":
            both = set(rules.get("dkim_domain", ())) & set(rules.get("spf_domain", ()))
            return sorted(name for name in both if not self.known("not-" + name))
        return rules.get({"dkim": "dkim_domain", "spf": "spf_domain", "selector": "dkim_selector", "host": "spf_host"}[what], [])

    def group(self, name, needs):
        """The senders of a group that have all of these parts."""
        keys = []
        for key, row in sorted(self.senders.items()):
            relays, carrier = row["kind"] in RELAYS, row["carrier"] == "true"
            member = {"product": not relays, "keyed": not relays, "hosted": not relays, "plain": not relays and not carrier,
                      "carrier": not relays and carrier, "relay": relays, "signer": relays, "provider": row["kind"] in RELAYS[:2],
                      "passer": row["kind"] in RELAYS[2:]}[name]
            if member and all(self.choices(key, what) for what in needs - {"name", "key"}):
                keys.append(key)
        return keys


class Service:
    """A sender of the catalogue as one plant shows it."""

    def __init__(self, rng, catalogue, key, needs):
        self.key, self.name, self.number = key, catalogue.senders[key]["name"], catalogue.number[key]
        for what in sorted(needs - {"name", "key"}):
            pattern = re.sub("#", lambda _: str(rng.randrange(10, 9999)), rng.choice(catalogue.choices(key, what)))
            setattr(self, what, rng.choice(BELOW) + pattern if what in ("dkim", "spf") else pattern)
        self.DKIM, self.SPF = getattr(self, "dkim", "").upper(), getattr(self, "spf", "").upper()


class Kind:
    """A plant of year.txt."""

    def __init__(self, name, words):
        self.name, self.words, self.rows = name, set(words), []
        self.wanted = self.said = None

    def needs(self):
        """Which senders it has to draw, and which parts of them: product: {dkim, name}."""
        text = str((self.rows, self.wanted, self.said))
        needs = {}
        for group, what in re.findall(r"\{(\w+)\.(\w+)\}", text):
            needs.setdefault(group, set()).add(what.lower())
        return needs


def read_kinds():
    kinds = []
    with open(os.path.join(HERE, "year.txt"), encoding="ascii") as file:
        for line in file:
            line = line.strip().replace("@", "{domain}")
            if not line or line.startswith("#"):
                continue
            if line.startswith("plant "):
                kinds.append(Kind(line.split()[1], line.split()[2:]))
            elif line.startswith(": "):
                kinds[-1].wanted = tuple(line[2:].split(", ", 1))
            elif line.startswith(("approve ", "disown ")):
                said, wanted = line.split(" : ")
                kinds[-1].said = (*said.split(" ", 1), tuple(wanted.split(", ", 1)))
            else:
                kinds[-1].rows.append([claim.split("=", 1) for claim in line.split()])
    return kinds


class Form:
    """One way in which mail of a plant looks: everything of a record but the address and the count."""

    def __init__(self, domain, row, fill):
        self.dkim, self.spf, self.header_from, self.reason = [], [], domain.name, None
        for kind, value in row:
            parts = [fill(part) for part in value.split("/")]
            if kind == "d":
                self.dkim.append(parts)
            elif kind in ("spf", "helo"):
                self.spf.append((parts[0], "mfrom" if kind == "spf" else "helo", parts[1]))
            elif kind == "from":
                self.header_from = parts[0]
            elif kind == "reason":
                self.reason = (parts[0], COMMENTS.get(parts[0], "as configured"))
            else:
                raise ValueError(kind)
        self.dkim_aligned = any(r == "pass" and generate.aligned(d.lower(), self.header_from, domain.adkim == "s")
                                for d, _, r in self.dkim)
        self.spf_aligned = any(r == "pass" and s == "mfrom" and generate.aligned(d.lower(), self.header_from, domain.aspf == "s")
                               for d, s, r in self.spf)

    @functools.lru_cache(maxsize=100000)
    def text(self, new, lying, policy):
        """As two pieces around address and count. A lying reporter says that all passed."""
        passed = self.dkim_aligned or self.spf_aligned
        disposition = policy if not passed and not self.reason else "pass" if passed and new else "none"
        return generate.record_text(self.header_from, [[escape(part) for part in parts] for parts in self.dkim],
                                    [(escape(d), scope, r) for d, scope, r in self.spf],
                                    escape(next((d for d, scope, _ in self.spf if scope == "mfrom"), "")), self.reason,
                                    disposition, self.dkim_aligned or lying, self.spf_aligned or lying)


class Plant:
    """A sender in mail of one domain: what is expected of it, and what of it was reported."""

    def __init__(self, rng, kind, domain, fill, services):
        self.kind = kind
        self.forms = [Form(domain, row, fill) for row in kind.rows]
        self.wanted = tuple(fill(part) for part in kind.wanted)
        self.said, self.after = None, self.wanted
        if kind.said:
            self.said, self.after = (kind.said[0], fill(kind.said[1])), tuple(fill(part) for part in kind.said[2])
        few, many = "few" in kind.words, "many" in kind.words
        self.weight = (20 if "most" in kind.words else 6 if kind.words & {"often", "old"} else 2) / min(rng.paretovariate(1), 4)
        # So that of a large domain about one record in six shows a new address.
        self.pool = rng.randrange(1, 6) if few else rng.randrange(2, 60)
        if many:
            self.pool = max(20, int(domain.records * self.weight / 500))
        # Who is in the catalogue has the same addresses whoever it sends for.
        named = next((s for s in services if s.name in self.wanted[1]), None)
        self.service = named.number if named else None
        if named:
            self.pool, self.base = min(self.pool, SERVICE_ADDRESSES), 0
        else:
            self.base = domain.allocate(self.pool)
        # Some come in the course of the year, some go, and some strangers are here for a month.
        self.begin, self.end = 0, 365
        if not kind.words & {"always", "strict", "told"} and rng.random() < 0.4:
            at = rng.randrange(365)
            self.begin, self.end = (at, at + 30) if many and not named else (at, 365) if rng.random() < 0.5 else (0, at)
        self.used = bytearray(self.pool)
        self.records = self.messages = self.dkim_aligned = self.spf_aligned = 0
        self.first = self.last = None

    def address(self, index):
        n = self.base + index
        if self.service is not None:
            n += self.service * SERVICE_ADDRESSES
            return f"198.{18 + (n >> 16)}.{n >> 8 & 255}.{n & 255}" if index % 5 else f"2001:db8:1:{n >> 16:x}::{n & 0xffff:x}"
        # Scattered, and none twice in a domain.
        n = n & ~0x3fffff | n * 2654435761 & 0x3fffff
        return str(ipaddress.IPv4Address(0x64400000 + n)) if index % 5 else f"2001:db8:2:{n >> 16:x}::{n & 0xffff:x}"

    def add(self, form, index, count, day):
        self.used[index] = 1
        self.records += 1
        self.messages += count
        self.dkim_aligned += form.dkim_aligned and count
        self.spf_aligned += form.spf_aligned and count
        self.first = day if self.first is None else min(self.first, day)
        self.last = day if self.last is None else max(self.last, day)

    def figures(self):
        return self.messages, self.dkim_aligned, self.spf_aligned, sum(self.used), self.first, self.last, self.records


class Field:
    """Fills the braces of a plant."""

    def __init__(self, rng, garden, domain, services):
        garden.serial += 1
        labels = domain.name.split(".")
        self.values = {"domain": domain.name, "own": rng.choice(domain.selectors), "number": garden.serial,
                       "token": "".join(rng.choices("abcdefghijklmnopqrstuvwxyz234567", k=32)),
                       "label": rng.choice(["-".join(labels), "".join(labels), labels[0]]), "hostile": HOSTILE[domain.rank % len(HOSTILE)],
                       "stranger": f"host{garden.serial}.test", "second": f"vps{garden.serial}.test", **services}

    def __call__(self, text):
        return text.format_map(self.values)


class Domain:
    """A policy domain and its plants. `records`: how many it will have, about."""

    def __init__(self, rng, rank, records):
        self.name, self.rank, self.records = f"brand{rank:05d}.example", rank, records
        self.adkim = self.aspf = "s" if rank % 10 == 4 else "r"
        self.policies = sorted(rng.sample(["none", "quarantine", "reject"], rng.choice([1, 1, 2, 3])))
        self.p = self.policies[0]
        self.selectors = rng.sample(SELECTORS, 3)
        self.taken, self.plants, self.addresses, self.cache = set(), [], 0, {}

    def allocate(self, pool):
        self.addresses += pool
        return self.addresses - pool

    def on(self, day):
        """Publishes what it does on that day of the year."""
        self.p = self.policies[day * len(self.policies) // 365]

    def senders(self, day, new):
        """Who sends in that week, with cumulative weights, as far as this generation of the format can tell of it."""
        week = (day // 7, new)
        if week not in self.cache:
            if len(self.cache) > 3:
                self.cache.clear()
            here = [p for p in self.plants if p.begin <= day < p.end and not (new and "old" in p.kind.words)]
            total, weights = 0.0, []
            for plant in here:
                total += plant.weight
                weights.append(total)
            self.cache[week] = (here, weights)
        return self.cache[week]


class Garden:
    """Deals the kinds of year.txt and the senders of the catalogue to domains, so that all are somewhere if there is room."""

    def __init__(self, rng, records):
        self.rng, self.catalogue, self.kinds, self.serial = rng, Catalogue(), read_kinds(), 0
        self.everywhere = [k for k in self.kinds if "always" in k.words]
        self.deck = [k for k in self.kinds if not k.words & {"always", "told", "strict"}]
        self.strict = [k for k in self.kinds if "strict" in k.words]
        self.told = [k for k in self.kinds if "told" in k.words]
        rng.shuffle(self.deck)
        self.at, self.decks, self.records = 0, {}, records

    def draw(self, group, needs, domain, told):
        """A sender that the domain has not had; the word of an owner needs one that he has nowhere else."""
        what = (group, *sorted(needs))
        if what not in self.decks:
            self.decks[what] = self.catalogue.group(group, needs)
            self.rng.shuffle(self.decks[what])
        deck = self.decks[what]
        for i, key in enumerate(deck):
            if key not in domain.taken and not (told and key in ("google", "m365")):
                deck.append(deck.pop(i))
                domain.taken.add(key)
                return Service(self.rng, self.catalogue, key, needs)
        return None

    def plant(self, kind, domain):
        services = {}
        for group, needs in sorted(kind.needs().items()):
            services[group] = self.draw(group, needs, domain, "told" in kind.words)
            if not services[group]:
                return
        fill = Field(self.rng, self, domain, services)
        domain.plants.append(Plant(self.rng, kind, domain, fill, list(services.values())))

    def domain(self, rank, share):
        """The domain of that rank, with all that sends as it."""
        domain = Domain(self.rng, rank, self.records * share)
        kinds = self.everywhere + (self.strict if domain.adkim == "s" else [])
        # The more mail, the more kinds of it.
        for _ in range(min(len(self.deck), 8 + int(domain.records ** 0.5 / 4))):
            kinds.append(self.deck[self.at % len(self.deck)])
            self.at += 1
        if rank % 50 == 2:
            kinds += self.told
        kinds += [k for k in self.kinds if k.name == "stranger"] * min(200, int(domain.records / 2000))
        for kind in kinds:
            if "relaxed" not in kind.words or domain.adkim == "r":
                self.plant(kind, domain)
        return domain
