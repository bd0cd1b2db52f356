"""The kinds of jobs of this room."""

from reelm.foundation.jobs import Task

LAPSE_ORDERS = Task("regions.lapse_orders")
RETAIN = Task("regions.retain")
