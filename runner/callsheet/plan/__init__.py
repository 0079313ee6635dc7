"""From a bound job, its operations and the state to a plan: what will happen, why, and what it costs."""
