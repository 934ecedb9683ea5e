# SPDX-License-Identifier: GPL-2.0
"""The netlink contract as constants and types, from the header or the spec."""

import re

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DEFINE = re.compile(r'^#define\s+(KFREEZE_\w+)\s+("\w*"|\d+)$', re.MULTILINE)
ENUM = re.compile(r"^enum (\w+) \{(.*?)^\};", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"(\w+)(?:\s*=\s*(\d+))?,")
TYPE = re.compile(r"@(KFREEZE_A_\w+): "
                  r"(nest of (?:enum )?\w+|\w+)(?:, (enum \w+))?")


class Contract:
    """constants: name -> (enum or None, value); types: attribute -> words"""

    def __init__(self):
        self.constants = {}
        self.types = {}

    def differences(self, other):
        """What one has and the other has not, or has otherwise."""
        for what in ("constants", "types"):
            mine, theirs = getattr(self, what), getattr(other, what)
            for name in sorted(mine.keys() | theirs.keys()):
                if mine.get(name) != theirs.get(name):
                    yield f"{name}: {mine.get(name)}, {theirs.get(name)}"


def from_header(text):
    """The types are those that the comments before the enums tell."""
    contract = Contract()
    for name, kind, enum in TYPE.findall(text):
        contract.types[name] = f"{kind}, {enum}" if enum else kind
    text = COMMENT.sub("", text)
    for name, value in DEFINE.findall(text):
        contract.constants[name] = (
            None, value[1:-1] if value[0] == '"' else int(value))
    for enum, body in ENUM.findall(text):
        value = -1
        for name, given in ENTRY.findall(body):
            value = int(given) if given else value + 1
            if not name.startswith("__"):
                contract.constants[name] = (enum, value)
    return contract


def c_name(text):
    return text.replace("-", "_")


def from_spec(spec):
    """SPEC as YAML loads it. YNL's rules make the names."""
    contract = Contract()
    family = spec["name"]

    def add(name, value, enum=None):
        contract.constants[c_name(name).upper()] = (
            enum and c_name(enum), value)

    add(spec["c-family-name"], family)
    add(spec["c-version-name"], spec.get("version", 1))
    for definition in spec["definitions"]:
        name = f"{family}-{definition['name']}"
        if definition["type"] == "const":
            add(name, definition["value"])
            continue
        prefix = definition.get("name-prefix", name + "-")
        for value, entry in enumerate(definition["entries"]):
            add(prefix + entry["name"], value, enum_name(spec, definition))
    for attributes in spec["attribute-sets"]:
        if "subset-of" not in attributes:
            add_numbered(add, attributes["attributes"], attributes)
            add_types(contract, attributes, spec)
    add_numbered(add, spec["operations"]["list"], spec["operations"])
    add(spec["operations"]["name-prefix"] + "unspec", 0,
        spec["operations"]["enum-name"])
    for group in spec["mcast-groups"]["list"]:
        add(f"{family}-mcgrp-{group['name']}", group["name"])
    return contract


def enum_name(spec, definition):
    return definition.get("enum-name", f"{spec['name']}-{definition['name']}")


def add_numbered(add, entries, enum):
    """They count from 1 on, unless they say otherwise."""
    value = 0
    for entry in entries:
        value = entry.get("value", value + 1)
        add(enum["name-prefix"] + entry["name"], value, enum["enum-name"])


def add_types(contract, attributes, spec):
    sets = {each["name"]: each for each in spec["attribute-sets"]}
    enums = {each["name"]: enum_name(spec, each)
             for each in spec["definitions"]}
    for attribute in attributes["attributes"]:
        words = attribute["type"].replace("pad", "padding")
        if words == "nest":
            words += " of " + nested(sets, attribute["nested-attributes"])
        if "enum" in attribute:
            words += f", enum {c_name(enums[attribute['enum']])}"
        name = attributes["name-prefix"] + attribute["name"]
        contract.types[c_name(name).upper()] = words


def nested(sets, name):
    """A set with numbers of its own, or the one attribute of a subset."""
    inner = sets[name]
    if "subset-of" not in inner:
        return "enum " + c_name(inner["enum-name"])
    (only,) = inner["attributes"]
    prefix = sets[inner["subset-of"]]["name-prefix"]
    return c_name(prefix + only["name"]).upper()
