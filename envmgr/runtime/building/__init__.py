"""Make small wheels of a part of another wheel, or of a library of the host."""
