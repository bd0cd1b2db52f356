"""What people see: each page is a function from a request to HTML."""
