"""What all scenarios share: processes, stamps of the apps, figures, the report."""
