"""Write the libraries that stand in for a BLAS and pass its calls on to another one."""
