"""Grafana dashboards, and the files that Prometheus and Grafana read."""
