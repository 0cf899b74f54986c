"""A durable inventory and reservation service for retailers, spoken to over gRPC.

Nothing lives here and nothing imports this root: name the part you need. Programs that call the
service import ``domgrpc.client``; the messages themselves are in ``domgrpc.v1``.
"""
