#!/usr/bin/env python3
"""The files that tools/generate makes are up to date."""
import sys

import tree

done = tree.run(sys.executable, tree.ROOT / 'tools/generate', '--check')
print(done.stdout, end='')
print('generated files: %s' % ('up to date' if done.returncode == 0 else 'stale'))
sys.exit(done.returncode)
