"""The gRPC edge: reads messages, hands commands on, shapes answers. It knows nothing of stock."""
