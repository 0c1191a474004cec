"""The service: the detector over HTTP, with everything it stores or waits for behind ports."""
