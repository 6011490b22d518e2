"""A load balancer's laboratory on one machine: see lab.py for the picture."""
