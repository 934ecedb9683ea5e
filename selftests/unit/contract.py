# SPDX-License-Identifier: GPL-2.0
"""The netlink contract as constants, types, bounds and what commands carry, from
the header or the spec."""

import re

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DEFINE = re.compile(r'^#define\s+(KFREEZE_\w+)\s+("\w*"|\d+)$', re.MULTILINE)
ENUM = re.compile(r"^enum (\w+) \{(.*?)^\};", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"(\w+)(?:\s*=\s*(\d+))?,")
TYPE = re.compile(r"@(KFREEZE_A_\w+): "
                  r"(nest of (?:enum )?\w+|\w+)(?:, (enum \w+))?")
# Of the manual.
BOUNDS = re.compile(r"^ +(\w+), optional: (\d+) \.\. (\w+)$", re.MULTILINE)
NUMBER_OF = re.compile(r"^ +(\w+) +\w+, optional.*?There are\s+(\w+) of them",
                       re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^%(KFREEZE_CMD_\w+)[:,](.*?)(?=^$)",
                     re.MULTILINE | re.DOTALL)
IN_OUT = re.compile(r"^  in:(.*?)^  out:(.*?)(?=^  E[A-Z]+|\Z)",
                    re.MULTILINE | re.DOTALL)
IN_NAME = re.compile(r"^ {2,7}([A-Z_]+)\b", re.MULTILINE)
SAME = "what RESULT carries"


class Contract:
    """constants: name -> (enum or None, value); types: attribute -> words;
    bounds: attribute -> (lowest, highest); carried: command -> attributes"""

    def __init__(self):
        self.constants = {}
        self.types = {}
        self.bounds = {}
        self.carried = {}

    def differences(self, other):
        """What one has and the other has not, or has otherwise."""
        for what in ("constants", "types", "bounds", "carried"):
            mine, theirs = getattr(self, what), getattr(other, what)
            for name in sorted(mine.keys() | theirs.keys()):
                if mine.get(name) != theirs.get(name):
                    yield f"{name}: {mine.get(name)}, {theirs.get(name)}"


def from_header(text):
    """The types are those that the comments before the enums tell, bounds and
    commands those of the manual."""
    contract = Contract()
    manual = "\n".join(line[3:] for line in
                       text.partition("#ifndef")[0].splitlines())
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
    add_manual(contract, manual)
    return contract


def add_manual(contract, manual):
    prefix = "KFREEZE_A_"
    attributes = {name for name, (enum, _) in contract.constants.items()
                  if enum == "kfreeze_attr"}

    def names(words):
        return {prefix + word for word in words} & attributes

    for name, low, high in BOUNDS.findall(manual):
        _, value = contract.constants.get(high, (None, None))
        contract.bounds[prefix + name] = (int(low), value)
    for name, number in NUMBER_OF.findall(manual):
        contract.bounds[prefix + name] = (0, contract.constants[number][1] - 1)
    for command, text in COMMAND.findall(manual):
        given, told = (IN_OUT.findall(text) or [("", text)])[0]
        carried = names(re.findall(r"[A-Z_]+", told))
        if SAME in told:
            carried |= contract.carried["KFREEZE_CMD_RESULT out"]
        contract.carried[command + " in"] = names(IN_NAME.findall(given))
        contract.carried[command + " out"] = carried


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
            add_bounds(contract, attributes, family)
    add_numbered(add, spec["operations"]["list"], spec["operations"])
    add(spec["operations"]["name-prefix"] + "unspec", 0,
        spec["operations"]["enum-name"])
    for group in spec["mcast-groups"]["list"]:
        add(f"{family}-mcgrp-{group['name']}", group["name"])
    add_carried(contract, spec)
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


def add_bounds(contract, attributes, family):
    for attribute in attributes["attributes"]:
        if "checks" in attribute:
            low, high = (attribute["checks"].get(end) for end in ("min", "max"))
            if isinstance(high, str):
                high = contract.constants[c_name(f"{family}-{high}").upper()][1]
            name = attributes["name-prefix"] + attribute["name"]
            contract.bounds[c_name(name).upper()] = (low or 0, high)


def add_carried(contract, spec):
    prefixes = {each["name"]: each.get("name-prefix")
                for each in spec["attribute-sets"]}
    for operation in spec["operations"]["list"]:
        command = spec["operations"]["name-prefix"] + operation["name"]
        does = operation.get("do", operation.get("dump", {}))
        told = operation.get("event", does.get("reply", {}))
        for way, message in (("in", does.get("request", {})), ("out", told)):
            contract.carried[f"{c_name(command).upper()} {way}"] = {
                c_name(prefixes[operation["attribute-set"]] + name).upper()
                for name in message.get("attributes", [])}
