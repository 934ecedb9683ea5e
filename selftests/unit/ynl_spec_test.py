#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Do the uapi header and the YNL spec tell the same contract?

Prints KTAP. What needs the kernel's tooling is skipped when it is not cached:
unit/ynl_tools.sh fetch.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import contract
import ktap_functions
import yaml_subset

UNIT = Path(__file__).resolve().parent
INCLUDE = UNIT.parent.parent / "include"
HEADER = (INCLUDE / "uapi/linux/kfreeze.h").read_text(encoding="utf-8")
SPEC = (INCLUDE / "netlink/kfreeze.yaml").read_text(encoding="utf-8")

# A change of either text that must be seen: old, new, the name that differs.
HEADER_CHANGES = [
    ("KFREEZE_MAX_LEVELS 64", "KFREEZE_MAX_LEVELS 65", "KFREEZE_MAX_LEVELS"),
    ('_EVENTS "events"', '_EVENTS "event"', "KFREEZE_MCGRP_EVENTS"),
    ("\tKFREEZE_CMD_OPEN,\n", "", "KFREEZE_CMD_OPEN"),
    ("\tKFREEZE_A_CYCLE,\n", "\tKFREEZE_A_CYCLE,\n\tKFREEZE_A_NEW,\n",
     "KFREEZE_A_NEW"),
    ("_STATE_FROZEN,\n", "_STATE_FROZEN = 4,\n", "KFREEZE_STATE_FROZEN"),
    ("enum kfreeze_step {", "enum kfreeze_steps {", "KFREEZE_STEP_NONE"),
    ("@KFREEZE_A_ERROR: s32", "@KFREEZE_A_ERROR: u32", "KFREEZE_A_ERROR"),
    ("u32, enum kfreeze_cause", "u32, enum kfreeze_step", "KFREEZE_A_CAUSE"),
    ("nest of KFREEZE_A_TARGET", "nest of KFREEZE_A_PAD", "KFREEZE_A_TARGETS"),
    ("1 .. MAX_TIMEOUT_MS", "0 .. MAX_TIMEOUT_MS", "KFREEZE_A_TIMEOUT_MS"),
    ("1 .. KFREEZE_MAX_FLUSH", "1 .. MAX_FLUSH", "KFREEZE_A_FLUSH_TIMEOUT_MS"),
    ("MAX_LEVELS 64", "MAX_LEVELS 32", "KFREEZE_A_TARGET_LEVEL"),
    ("        TIMEOUT_MS, optional", "          TIMEOUT_MS, optional",
     "KFREEZE_CMD_FREEZE in"),
    ("out: NR_SESSIONS", "out: SESSION", "KFREEZE_CMD_RESCUE out"),
    ("NR_STUCK, REMAINING_MS (0", "REMAINING_MS (0", "KFREEZE_CMD_STATUS out"),
    ("EVENT and what RESULT carries", "what RESULT carries",
     "KFREEZE_CMD_EVENT out"),
]
SPEC_CHANGES = [
    ("value: 1024", "value: 1025", "KFREEZE_MAX_TARGETS"),
    ("name: stuck\n", "name: stack\n", "KFREEZE_TARGET_STUCK"),
    ("name: level\n        type: u8", "name: level\n        type: u32",
     "KFREEZE_A_TARGET_LEVEL"),
    ("max: 63", "max: 64", "KFREEZE_A_TARGET_LEVEL"),
    ("max: max-flush-timeout-ms", "max: 60000", "KFREEZE_A_FLUSH_TIMEOUT_MS"),
    ("            - targets\n", "", "KFREEZE_CMD_FREEZE in"),
    ("            - nr-sessions\n", "            - session\n",
     "KFREEZE_CMD_RESCUE out"),
    ("name: info\n", "name: info\n      value: 2\n", "KFREEZE_CMD_INFO"),
]


def differences(header, spec):
    return list(contract.from_header(header).differences(
        contract.from_spec(yaml_subset.load(spec))))


def header_and_spec_agree():
    found = differences(HEADER, SPEC)
    assert not found, "\n".join(found)


def header_is_understood():
    """Nothing of it is overlooked on both sides."""
    known = contract.from_header(HEADER)
    for name in ("KFREEZE_GENL_NAME", "KFREEZE_CMD_EVENT", "KFREEZE_A_EVENT",
                 "KFREEZE_A_TARGET_THAW_NS", "KFREEZE_EVENT_UNSTUCK"):
        assert name in known.constants, name
    assert len(known.bounds) == 3, known.bounds
    assert len(known.carried) == 2 * 8, known.carried
    assert len(known.carried["KFREEZE_CMD_INFO out"]) == 8, known.carried
    assert len(known.carried["KFREEZE_CMD_FREEZE in"]) == 3, known.carried
    attributes = {name for name, (enum, _) in known.constants.items()
                  if enum and enum.endswith("attr")}
    assert attributes == known.types.keys(), \
        attributes.symmetric_difference(known.types)


def changes_are_seen():
    rows = [(HEADER.replace(old, new, 1), SPEC, name, old)
            for old, new, name in HEADER_CHANGES]
    rows += [(HEADER, SPEC.replace(old, new, 1), name, old)
             for old, new, name in SPEC_CHANGES]
    for header, spec, name, old in rows:
        assert (header, spec) != (HEADER, SPEC), f"{old}: not found"
        assert any(line.startswith(name + ":")
                   for line in differences(header, spec)), f"{old}: not seen"


def tools(*arguments):
    """What unit/ynl_tools.sh says; skips when it has none."""
    result = subprocess.run([UNIT / "ynl_tools.sh", *arguments], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            check=False)
    if result.returncode == 2:
        raise ktap_functions.Skip(result.stdout.strip())
    return result


def made_by_ynl(mode):
    """It checks the schema first."""
    with tempfile.TemporaryDirectory() as work:
        made = Path(work) / "kfreeze"
        result = tools(mode, INCLUDE / "netlink/kfreeze.yaml", made)
        assert result.returncode == 0, result.stdout
        return made.read_text(encoding="utf-8")


def ynl_makes_the_same_header():
    theirs = contract.from_header(made_by_ynl("uapi"))
    ours = contract.from_header(HEADER)
    del ours.constants["KFREEZE_CMD_UNSPEC"]    # they have no name for it
    theirs.types = ours.types                   # they do not tell these
    theirs.bounds, theirs.carried = ours.bounds, ours.carried
    found = list(ours.differences(theirs))
    assert not found, "\n".join(found)


def ynl_makes_a_policy():
    """That of a kernel whose family were made of the spec."""
    made = made_by_ynl("kernel")
    for words in ("[KFREEZE_A_TARGET_LEVEL] = NLA_POLICY_MAX(NLA_U8, 63)",
                  "[KFREEZE_A_TIMEOUT_MS] = NLA_POLICY_MIN(NLA_U32, 1)",
                  ".max\t= KFREEZE_MAX_FLUSH_TIMEOUT_MS"):
        assert words in made, made


def ynl_makes_a_client_that_compiles():
    made = made_by_ynl("user")
    for words in ("kfreeze_freeze(", "kfreeze_status_dump(", "kfreeze_rescue("):
        assert words in made, f"{words}: not there"


def ynl_refuses_a_wrong_spec():
    with tempfile.TemporaryDirectory() as work:
        spec = Path(work) / "kfreeze.yaml"
        spec.write_text(SPEC.replace("type: s32", "type: s33", 1),
                        encoding="utf-8")
        result = tools("uapi", spec, Path(work) / "kfreeze.h")
        assert result.returncode == 1 and "s33" in result.stdout, \
            f"{result.returncode} {result.stdout}"


TESTS = [header_and_spec_agree, header_is_understood, changes_are_seen,
         ynl_makes_the_same_header, ynl_makes_a_policy,
         ynl_makes_a_client_that_compiles, ynl_refuses_a_wrong_spec]


if __name__ == "__main__":
    sys.exit(ktap_functions.main(TESTS))
