"""The mobile networks behind the service: countries, operators, prices, outcomes and their timing."""
