"""Export of spans by OpenTelemetry's library, which nothing outside of this folder imports."""
