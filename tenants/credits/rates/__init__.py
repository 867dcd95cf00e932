"""What one message part is sold for, one file per way of selling. Pure; micro-dollars, or whole credits."""
