"""The road of a message: admission, intake, lanes, dispatch, receipts and webhooks."""
