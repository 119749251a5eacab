"""Every file format and download; nothing else opens a file."""
