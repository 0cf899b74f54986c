"""RoutingService: by which rules orders are planned."""

from domgrpc.rpc import rule_set_calls


class RoutingService:
    """Rule sets: their life and their lists."""

    CreateRuleSet = staticmethod(rule_set_calls.create)
    ValidateRuleSet = staticmethod(rule_set_calls.validate)
    ActivateRuleSet = staticmethod(rule_set_calls.activate)
    GetRuleSet = staticmethod(rule_set_calls.get)
    ListRuleSets = staticmethod(rule_set_calls.list_all)
