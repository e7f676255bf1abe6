"""The composite steps, run as a runner runs them: check.py BUNDLE [arguments of unittest].

Expected values are hand-made: which commits exist is decided in world.py, what the program is asked follows from
docs/github.md, exit codes are those of the README.
"""

import sys
import unittest

from events import Events, Sequences
from inputs import Inputs
from real import Real
from trust import Trust

__all__ = ["Events", "Inputs", "Real", "Sequences", "Trust"]

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
