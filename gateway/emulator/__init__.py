"""
An emulator of AWS End User Messaging SMS v2: the API, the carriers behind it and the SNS topics in front.

The chain of one request is ``wire -> parse -> validate -> operation -> serialise`` and is written down in
``pipeline.py``. The emulator shares no code with the gateway that it is used to test.
"""
