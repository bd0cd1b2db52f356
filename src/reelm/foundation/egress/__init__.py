"""No outbound call by default: locks that the kernel holds, and a hook that finds mistakes early.

This file imports nothing: two scripts that lock a process down before it begins import the room.
"""
