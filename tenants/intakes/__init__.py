"""Platforms that hand in their customers' data by signed posts."""
