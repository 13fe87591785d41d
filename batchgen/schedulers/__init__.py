"""What makes a machine run a batch at set times: the texts for cron, systemd and Kubernetes. Pure."""
