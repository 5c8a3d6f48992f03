"""Human decisions about Solutions."""
