"""Writes MMDB files (MaxMind DB file format 2.0) for tests: write(path, {"192.0.2.0/24": {"country_code": "DE"}, ...})."""
import ipaddress
import struct

MARKER = b"\xab\xcd\xefMaxMind.com"
POINTER, STRING, DOUBLE, BYTES, UINT16, UINT32, MAP, INT32, UINT64, UINT128, ARRAY, BOOLEAN = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14


class Raw(bytes):
    """A string's bytes, UTF-8 or not."""


class Int32(int):
    """A number to write as a signed one."""


class Uint16(int):
    """A number to write as a short one."""


class Uint64(int):
    """A number to write as a long one."""


def head(kind, size):
    more = b""
    if size >= 65821:
        size, more = 31, (size - 65821).to_bytes(3, "big")
    elif size >= 285:
        size, more = 30, (size - 285).to_bytes(2, "big")
    elif size >= 29:
        size, more = 29, bytes([size - 29])
    return (bytes([size, kind - 7]) if kind > 7 else bytes([kind << 5 | size])) + more


def pointer(to):
    if to < 2048:
        return bytes([POINTER << 5 | to >> 8, to & 255])
    to -= 2048
    return bytes([POINTER << 5 | 1 << 3 | to >> 16]) + (to & 0xffff).to_bytes(2, "big")


class Data:
    """The data section: strings that come again are pointers."""

    def __init__(self, pointers=True):
        self.bytes = bytearray()
        self.strings = {} if pointers else None

    def add(self, value):
        at = len(self.bytes)
        if isinstance(value, (str, Raw)):
            raw = value.encode() if isinstance(value, str) else bytes(value)
            if self.strings is not None and raw in self.strings:
                self.bytes += pointer(self.strings[raw])
            else:
                if self.strings is not None:
                    self.strings[raw] = at
                self.bytes += head(STRING, len(raw)) + raw
        elif isinstance(value, bool):
            self.bytes += head(BOOLEAN, int(value))
        elif isinstance(value, int):
            kind = {Int32: INT32, Uint16: UINT16, Uint64: UINT64}.get(type(value), UINT32 if value < 1 << 32 else UINT128)
            raw = struct.pack("!i", value) if kind == INT32 else value.to_bytes((value.bit_length() + 7) // 8, "big")
            self.bytes += head(kind, len(raw)) + raw
        elif isinstance(value, float):
            self.bytes += head(DOUBLE, 8) + struct.pack("!d", value)
        elif isinstance(value, dict):
            self.bytes += head(MAP, len(value))
            for key, inner in value.items():
                self.add(key)
                self.add(inner)
        else:
            self.bytes += head(ARRAY, len(value))
            for inner in value:
                self.add(inner)
        return at


def tree_of(networks, version):
    """Nodes of two: None, another node, or ("data", number of the record)."""
    root = [None, None]
    records = []
    for text, record in sorted(networks.items(), key=lambda item: ipaddress.ip_network(item[0]).prefixlen):
        network = ipaddress.ip_network(text)
        width = network.max_prefixlen
        bits = f"{int(network.network_address):0{width}b}"[:network.prefixlen]
        if version == 6 and width == 32:
            bits = "0" * 96 + bits
        records.append(record)
        node = root
        for bit in map(int, bits[:-1]):
            if not isinstance(node[bit], list):
                node[bit] = [node[bit], node[bit]]
            node = node[bit]
        node[int(bits[-1])] = ("data", len(records) - 1)
    return root, records


def write(path, networks, version=6, record_size=28, kind="Test", pointers=True):
    root, records = tree_of(networks, version)
    nodes = []

    def number(node):
        node.append(len(nodes))
        nodes.append(node)
        for side in node[:2]:
            if isinstance(side, list):
                number(side)
    number(root)
    data = Data(pointers)
    offsets = [data.add(record) for record in records]

    def value(side):
        if side is None:
            return len(nodes)
        return side[2] if isinstance(side, list) else len(nodes) + 16 + offsets[side[1]]
    tree = bytearray()
    for left, right, _ in nodes:
        left, right = value(left), value(right)
        if record_size == 28:
            tree += (left & 0xffffff).to_bytes(3, "big") + bytes([left >> 24 << 4 | right >> 24]) + (right & 0xffffff).to_bytes(3, "big")
        else:
            tree += left.to_bytes(record_size // 8, "big") + right.to_bytes(record_size // 8, "big")
    about = Data(False)
    about.add({"binary_format_major_version": Uint16(2), "binary_format_minor_version": Uint16(0), "build_epoch": Uint64(1790000000),
               "database_type": kind, "description": {"en": "made by a test"}, "ip_version": Uint16(version), "languages": ["en"],
               "node_count": len(nodes), "record_size": Uint16(record_size)})
    with open(path, "wb") as file:
        file.write(bytes(tree) + bytes(16) + bytes(data.bytes) + MARKER + bytes(about.bytes))
