# Health.
health-title = Health
