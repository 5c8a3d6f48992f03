"""What `make bench` measures: the speed of q next to what does the same work without it."""
