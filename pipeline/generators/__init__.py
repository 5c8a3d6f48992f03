"""What produces Completions. Only modules in here (and in `trainers/`) import torch or transformers."""
