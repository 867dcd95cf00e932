"""Who agreed to be texted: to what, by which words, when and how it can be shown; and who no longer does."""
