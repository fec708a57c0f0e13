"""The values that the parts of the house hand to each other: frozen, typed, without behaviour."""
