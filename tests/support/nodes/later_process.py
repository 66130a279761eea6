"""Imported by a process of a later release, which knows its node type from the start."""

from tests.support.nodes.later_type import learn

learn()
