"""``store ls | show | verify | prune``: what the stages of all runs left, and making room."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from tinyml_nas.store.entries import Damaged
from tinyml_nas.store.inspect import (
    Found,
    check,
    document,
    entries,
    keys_of_runs,
    leftovers,
    named,
    remove,
)

DAY_S = 86_400.0
SHORT = 12
"""Digits of a digest that are printed; ``show`` takes as many as tell it apart."""


def run(arguments: Sequence[str]) -> None:
    """Do what is asked; exit status 1 where entries are damaged, 2 where the command is refused."""
    asked = _parser().parse_args(arguments, argparse.Namespace(store=Path("outputs/store")))
    root: Path = asked.store
    if not root.is_dir():
        _refuse(f"--store: there is no folder {root}")
    asked.do(root, asked)


def _ls(root: Path, asked: argparse.Namespace) -> None:
    found = entries(root)
    if asked.stage:
        for one in (one for one in found if one.stage == asked.stage):
            _say(f"{one.stage}/{one.digest[:SHORT]}  {_megabytes([one])}  {_when(one.made)}")
        return
    stages: defaultdict[str, list[Found]] = defaultdict(list)
    for one in found:
        stages[one.stage].append(one)
    for stage, inside in sorted(stages.items()):
        _say(f"{stage:<16}{len(inside):>6}  {_megabytes(inside)}  newest {_when(inside[-1].made)}")
    _say(f"{'all':<16}{len(found):>6}  {_megabytes(found)}")


def _show(root: Path, asked: argparse.Namespace) -> None:
    matching = named(root, asked.entry)
    if len(matching) != 1:
        what = "no entry starts" if not matching else f"{len(matching)} entries start"
        _refuse(f"{asked.entry}: {what} like this in {root}; `store ls STAGE` lists them")
    try:
        content = document(matching[0])
    except Damaged as damage:
        sys.exit(f"error: {damage}")
    _say(str(matching[0].path))
    _say(json.dumps(content, indent=1))


def _verify(root: Path, asked: argparse.Namespace) -> None:
    found, damaged = entries(root), 0
    for one in found:
        try:
            check(one)
        except Damaged as damage:
            damaged += 1
            _say(f"damaged: {damage}")
    _say(f"{len(found) - damaged} of {len(found)} entries are what was written")
    if damaged:
        _say("a run that needs a damaged entry makes it anew")
        sys.exit(1)


def _prune(root: Path, asked: argparse.Namespace) -> None:
    if asked.older_than is None and asked.unused_by is None and not asked.leftovers:
        _refuse("prune: say what may go: --older-than DAYS, --unused-by RUNS... or --leftovers")
    chosen = entries(root) if asked.older_than is not None or asked.unused_by is not None else []
    if asked.older_than is not None:
        until = time.time() - asked.older_than * DAY_S
        chosen = [one for one in chosen if one.made < until]
    if asked.unused_by is not None:
        for folder in asked.unused_by:
            if not folder.is_dir():
                _refuse(f"--unused-by: there is no folder {folder}")
        try:
            used = keys_of_runs(asked.unused_by)
        except ValueError as error:
            _refuse(str(error))
        chosen = [one for one in chosen if one.digest not in used]
    gone = chosen if asked.dry_run else [one for one in chosen if remove(one)]
    verb = "would remove" if asked.dry_run else "removed"
    _say(f"{verb} {len(gone)} entries, {_megabytes(gone).strip()}")
    if asked.leftovers:
        parts = list(leftovers(root))
        for part in () if asked.dry_run else parts:
            shutil.rmtree(part, ignore_errors=True)
        _say(f"{verb} {len(parts)} folders of interrupted runs")


def _parser() -> argparse.ArgumentParser:
    place = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    place.add_argument("--store", type=Path, metavar="DIR", help="its folder, outputs/store")
    parser = argparse.ArgumentParser(prog="store", description=__doc__, parents=[place])
    commands = parser.add_subparsers(required=True, metavar="ls | show | verify | prune")
    add = partial(
        commands.add_parser, parents=[place]
    )  # --store stands before the word or after it
    ls = add("ls", help="stages, how many entries each has, and their bytes")
    ls.add_argument("stage", nargs="?", help="list the entries of this stage")
    ls.set_defaults(do=_ls)
    show = add("show", help="what an entry depends on, and what came of it")
    show.add_argument("entry", help="stage/digest as `ls` prints it, or the start of a digest")
    show.set_defaults(do=_show)
    verify = add("verify", help="read every entry and compare its digests")
    verify.set_defaults(do=_verify)
    prune = add("prune", help="make room, while nothing runs")
    prune.add_argument("--older-than", type=float, metavar="DAYS")
    prune.add_argument(
        "--unused-by", type=Path, nargs="+", metavar="RUNS", help="keep what they need"
    )
    prune.add_argument("--leftovers", action="store_true", help="and what interrupted runs left")
    prune.add_argument("--dry-run", action="store_true", help="say what would go")
    prune.set_defaults(do=_prune)
    return parser


def _refuse(text: str) -> NoReturn:
    sys.stderr.write(f"error: {text}\n")
    sys.exit(2)


def _megabytes(found: Sequence[Found]) -> str:
    return f"{sum(one.size_bytes for one in found) / 1e6:>10,.1f} MB"


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
