"""What an onboarding looks like from here: which registrations, senders and test messages there are."""
