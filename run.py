"""The command line of a checkout: ``python run.py --help``. Installed, it is ``tinyml-nas``."""

from __future__ import annotations

from tinyml_nas.__main__ import main

if __name__ == "__main__":
    main()
