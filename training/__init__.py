"""Everything that makes, measures and exports a model. The only package that knows torch."""
