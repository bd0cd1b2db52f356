"""The sale of a region: everything that another operator takes over, with proof of each step."""
