"""Take in a torch module of a user's own."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.network.own import UserModule
from tinyml_nas.store.digest import Json


def adopt(folder: Path, work: Path, *, module: UserModule) -> dict[str, Json]:
    """Its weights, and where its code is: what ``finetune`` trains and ``extract`` converts."""
    from tinyml_nas.network import user

    user.save(user.UserNetwork(module, user.made(module.reference)), folder)
    return {}
