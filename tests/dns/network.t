#!/usr/bin/python3
"""Networks of addresses from MMDB files of all layouts, and from broken ones."""
import os
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
os.chdir(TOP)
sys.path.insert(0, "tests/lib")
import mmdb_write  # noqa: E402
from mmdb_write import Int32, Raw, Uint16, Uint64  # noqa: E402

TOOL = os.environ.get("NETWORK_FIND", "build/tests/network_find")
DIR = tempfile.TemporaryDirectory()
done = 0
failed = False


def ok(good, title, *details):
    global done, failed
    done += 1
    failed |= not good
    print(f"{'ok' if good else 'not ok'} {done} - {title}", flush=True)
    for detail in details if not good else ():
        print("# " + str(detail).replace("\n", "\n# "), flush=True)


def path(name):
    return f"{DIR.name}/{name}"


def make(name, networks, **how):
    mmdb_write.write(path(name), networks, **how)
    return path(name)


def run(arguments, addresses):
    return subprocess.run([TOOL, *arguments], input="".join(a + "\n" for a in addresses), text=True, capture_output=True, check=False,
                          errors="surrogateescape")


def finds(title, files, expected):
    """expected: {address: "prefix country number name"}."""
    ran = run(files, expected)
    got = dict(line.split("\t", 1) for line in ran.stdout.splitlines())
    want = {address: "\t".join(text.split(" ", 3)) for address, text in expected.items()}
    ok(got == want and ran.returncode == 0, title, *[f"{a}: {got.get(a)!r}, not {want[a]!r}" for a in want if got.get(a) != want[a]],
       ran.stderr)


def one(record):
    """A file in which 192.0.2.0/24 has this record."""
    return [make("one.mmdb", {"192.0.2.0/24": record})]


GEOLITE = {"continent": {"code": "EU"}, "country": {"geoname_id": 2921044, "is_in_european_union": True, "iso_code": "DE",
                                                    "names": {"de": "Deutschland", "en": "Germany"}},
           "registered_country": {"iso_code": "FR"}}
COUNTRIES = {"192.0.2.0/24": GEOLITE, "192.0.2.128/25": {"country": {"iso_code": "AT"}}, "198.51.100.0/22": {"country": {"iso_code": "NL"}},
             "2001:db8::/32": {"country": {"iso_code": "CH"}}, "2001:db8:8000::/33": {"country": {"iso_code": "IT"}}}
SYSTEMS = {"192.0.2.0/26": {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Köln"},
           "2001:db8::/48": {"autonomous_system_number": 4294967294, "autonomous_system_organization": "Six"}}


def test_sizes():
    for size in 24, 28, 32:
        for pointers in True, False:
            country = make("country.mmdb", COUNTRIES, record_size=size, pointers=pointers)
            system = make("asn.mmdb", SYSTEMS, record_size=size, pointers=pointers)
            finds(f"records of {size} bits{', with pointers' if pointers else ''}", [country, system], {
                "192.0.2.1": "192.0.2.0/26 DE 64496 Example Köln",
                "192.0.2.63": "192.0.2.0/26 DE 64496 Example Köln",
                "192.0.2.64": "192.0.2.64/26 DE 0 -",
                "192.0.2.200": "192.0.2.128/25 AT 0 -",
                "::ffff:192.0.2.1": "192.0.2.0/26 DE 64496 Example Köln",
                "198.51.101.7": "198.51.100.0/22 NL 0 -",
                "2001:db8::1": "2001:db8::/48 CH 4294967294 Six",
                "2001:db8:9000::1": "2001:db8:8000::/33 IT 0 -",
                "no address": "- - 0 -",
            })
    four = make("four.mmdb", {n: r for n, r in COUNTRIES.items() if "." in n}, version=4)
    finds("a file for IPv4 alone", [four], {"192.0.2.1": "192.0.2.0/25 DE 0 -", "2001:db8::1": "- - 0 -", "192.0.2.255": "192.0.2.128/25 AT 0 -"})
    finds("and one for both beside it", [four, make("asn.mmdb", SYSTEMS)], {
        "2001:db8::1": "2001:db8::/48 - 4294967294 Six", "192.0.2.1": "192.0.2.0/26 DE 64496 Example Köln"})
    finds("the whole of IPv4 is nothing", [make("six.mmdb", {"2001:db8::/32": GEOLITE})], {"192.0.2.1": "0.0.0.0/0 - 0 -", "2001:db8::": "2001:db8::/32 DE 0 -"})
    finds("no file knows nothing", [], {"192.0.2.1": "- - 0 -"})


def test_layouts():
    for title, record, expected in [
        ("GeoLite2 without a place", {"registered_country": {"iso_code": "FR"}}, "FR 0 -"),
        ("ip-location-db", {"country_code": "SE"}, "SE 0 -"),
        ("ip-location-db, systems", {"autonomous_system_number": 64497, "autonomous_system_organization": "Two"}, "- 64497 Two"),
        ("IPinfo", {"country": "NO", "asn": "AS64498", "as_name": "Three, Inc.", "as_domain": "three.example"}, "NO 64498 Three, Inc."),
        ("IPinfo Lite", {"country": "Norway", "country_code": "NO", "asn": "AS64498", "as_name": "Three"}, "NO 64498 Three"),
        ("others", {"asn": 64499, "as_organization": "Four"}, "- 64499 Four"),
        ("a short number", {"as_number": Uint16(7)}, "- 7 -"),
        ("a long number", {"as_number": Uint64(7)}, "- 7 -"),
        ("a signed number", {"as_number": Int32(7)}, "- 7 -"),
        ("a negative number", {"as_number": Int32(-7)}, "- 0 -"),
        ("a number that is too long", {"as_number": Uint64(4294967296)}, "- 0 -"),
        ("text that is no number", {"asn": "AS64498x"}, "- 0 -"),
        ("text that is longer than a number", {"asn": "AS" + "6" * 100}, "- 0 -"),
        ("a number that is a list", {"asn": [1, 2]}, "- 0 -"),
        ("a small country", {"country_code": "de"}, "DE 0 -"),
        ("a country with a digit", {"country_code": "D1"}, "- 0 -"),
        ("a long one", {"country_code": "DEU"}, "- 0 -"),
        ("a number for a country", {"country_code": 49}, "- 0 -"),
        ("a country that is NUL", {"country_code": Raw(b"\0\0")}, "- 0 -"),
        ("no country, and another field", {"country_code": "-", "registered_country": {"iso_code": "DE"}}, "DE 0 -"),
        ("no fields of ours", {"city": {"names": {"en": "Berlin"}}}, "- 0 -"),
        ("a record that is a text", "DE", "- 0 -"),
        ("a record that is a list", ["DE", {"country_code": "DE"}], "- 0 -"),
        ("a name without a number", {"as_name": "Nobody"}, "- 0 -"),
        ("a name with control characters", {"asn": 1, "as_name": " a\tb\x1b[31mc\x7f\u009b2J "}, "- 1 a b [31mc  2J"),
        ("a name that is no UTF-8", {"asn": 1, "as_name": Raw(b"K\xf6ln")}, "- 1 K\ufffdln"),
        ("a name with NUL", {"asn": 1, "as_name": Raw(b"a\0b")}, "- 1 a\ufffdb"),
        ("a name of blanks", {"asn": 1, "as_name": "   "}, "- 1 -"),
        ("a name that is too long", {"asn": 1, "as_name": "x" + "ö" * 300}, "- 1 x" + "ö" * 99),
        ("a huge one", {"asn": 1, "as_name": "y" * 70000}, "- 1 " + "y" * 200),
    ]:
        finds(title, one(record), {"192.0.2.1": f"192.0.2.0/24 {expected}"})
    first = make("first.mmdb", {"192.0.2.0/24": {"asn": 1}})
    second = make("second.mmdb", {"192.0.2.0/24": {"asn": 1, "as_name": "One", "country_code": "DE"}})
    third = make("third.mmdb", {"192.0.2.0/24": {"asn": 3, "as_name": "Three", "country_code": "FR"}})
    finds("what the first file does not say", [first, second, third], {"192.0.2.1": "192.0.2.0/24 DE 1 One"})
    finds("but no name of another number", [first, third], {"192.0.2.1": "192.0.2.0/24 FR 1 -"})


def refuses(title, files, message):
    ran = run(files, ["198.51.100.1"])
    ok(ran.returncode == 66 and message in ran.stderr and "\nhint: " in ran.stderr and not ran.stdout, title, ran.returncode, ran.stderr)


def test_broken():
    good = make("good.mmdb", COUNTRIES)
    with open(good, "rb") as file:
        whole = file.read()

    def other(name, data):
        with open(path(name), "wb") as file:
            file.write(data)
        return path(name)
    refuses("a file that is not there", [good, path("missing.mmdb")], "missing.mmdb' as a file of networks: No such file")
    refuses("a directory", [DIR.name], "it is no regular file")
    os.mkfifo(path("fifo"))
    refuses("a FIFO", [path("fifo")], "it is no regular file")
    refuses("an empty file", [other("empty.mmdb", b"")], "hint: it has to be an .mmdb file")
    refuses("a packed file", [other("packed.mmdb", b"\x1f\x8b\x08\x00" + bytes(100))], "hint: it has to be an .mmdb file, unpacked")
    refuses("text", [other("text.mmdb", b"network,country\n" * 100)], "hint: it has to be an .mmdb file")
    refuses("a file that was cut off", [other("cut.mmdb", whole[:len(whole) // 2])], "hint: it has to be an .mmdb file")
    refuses("its second half", [other("half.mmdb", whole[len(whole) // 2:])], "hint: it has to be an .mmdb file")
    refuses("a name that moves the cursor", [path("a\x1b[2Jb")], "a\\033[2Jb'")
    at = whole.index(b"iso_code") + len(b"iso_code")
    refuses("a record that points to nowhere", [other("points.mmdb", whole[:at] + b"\x3f\xff" + whole[at + 2:])], "it is broken")
    mixed = make("mixed.mmdb", {**COUNTRIES, **{f"198.18.{i}.0/24": {"asn": i + 1, "as_name": f"Number {i}", "country": {"iso_code": "DE"}}
                                               for i in range(40)}})
    addresses = ["192.0.2.1", "192.0.2.200", "198.51.100.1", "198.18.7.1", "198.18.39.255", "2001:db8::1", "255.255.255.255", "::"]
    ran = run(["--broken", "2000", mixed], addresses)
    ok(ran.returncode == 0 and "cut: 1 opened, 2000 refused" in ran.stdout and "lookups: " in ran.stdout, "2,000 cut files and 2,000 changed ones",
       ran.returncode, ran.stdout, ran.stderr)
    print("# " + ran.stdout.replace("\n", "; "))


test_sizes()
test_layouts()
test_broken()
DIR.cleanup()
print(f"1..{done}")
sys.exit(failed)
