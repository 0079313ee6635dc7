"""What runs a plan: the scheduler, the life of a task and of a purchase, limits, polling and HTTP."""
