"""What a tenant sends from: AWS accounts, origination identities, pools and configuration sets."""
