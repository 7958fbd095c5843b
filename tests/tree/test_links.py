#!/usr/bin/env python3
"""What the documents point to inside the tree is there."""
import re

import tree

report = tree.Report()
for path in sorted(p for p in tree.tracked() if p.suffix == '.md'):
    text = re.sub(r'^```.*?^```', '', path.read_text(), flags=re.M | re.S)
    for target in re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', text):
        if not re.match(r'[a-z]+:', target):
            report.check((path.parent / target).exists(), '%s: %s is not there' % (tree.name(path), target))
    # `lib/x/y.c`, `tools/test`, `doc/...`: what is said in code letters is checked where it begins like one of our folders.
    for target in re.findall(r'`((?:lib|include|examples|tests|tools|doc|bench|pkgconfig)/[\w./-]+)`', text):
        report.check(list(tree.ROOT.glob(target)), '%s: %s is not there' % (tree.name(path), target))
report.done()
