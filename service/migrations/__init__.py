"""How the schema comes about, step by step; append-only."""
