"""The text side of q: tokenizer, syntax tree and parser. Nothing here evaluates."""
