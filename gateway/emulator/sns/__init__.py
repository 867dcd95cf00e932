"""The part of Amazon SNS that carries delivery events: topics, subscriptions, signatures, HTTP delivery."""
