"""HTTP: addresses, status codes, headers, pages, and the server's workers."""
