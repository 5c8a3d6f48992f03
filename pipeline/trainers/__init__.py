"""What changes weights. Only modules in here (and in `generators/`) import torch, transformers or trl."""
