"""Durable jobs: Procrastinate in the region's own database."""

from reelm.foundation.jobs.defer import JOB_IDS, Task, defer
from reelm.foundation.jobs.worker import Job, JobRun, Periodic, run_worker

__all__ = ["JOB_IDS", "Job", "JobRun", "Periodic", "Task", "defer", "run_worker"]
