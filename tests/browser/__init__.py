"""The service in a real Chromium, end to end."""
