"""Two reps on the road and the back office work on the same customers and orders of a real ERPNext."""
