"""The demonstration: a retailer on a server of its own, and scenes that each prove a promise."""
