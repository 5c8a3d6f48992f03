"""Values of q: atoms, vectors, general lists, dictionaries, tables and functions."""
