"""Which MPI packages need, which one the machine has, and how a view leads to that."""
