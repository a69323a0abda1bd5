"""Live events: a process of its own that tells devices when their records changed. It imports nothing of Frappe.

It holds the streams of thousands of devices in one thread. Redis tells it which spaces changed, and the site's web server, asked
with the device's own token, says what the device is told of that.
"""
