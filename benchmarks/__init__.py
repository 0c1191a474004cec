"""How fast the detector and the service are, as ratios measured in turns: `make bench`."""
