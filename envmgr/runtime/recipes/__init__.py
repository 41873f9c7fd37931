"""What recipes say of shared runtimes, read and checked into a catalog."""
