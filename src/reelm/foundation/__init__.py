"""What every room stands on: configuration, errors, ids, time, database, objects and jobs."""
