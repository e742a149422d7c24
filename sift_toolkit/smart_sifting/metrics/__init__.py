"""What AWS's package logs."""
