"""SQL behind small classes: values in, rows kept, dataclasses out."""
