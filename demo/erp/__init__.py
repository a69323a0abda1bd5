"""A rep on the road and the back office work on the same orders of a real ERPNext."""
