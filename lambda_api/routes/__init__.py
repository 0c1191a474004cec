"""The paths of the API, one module per subject. Each parses, calls one service and answers."""
