"""Proof under faults: processes that are killed, disks that fill up, files that change, and hostile bytes."""
