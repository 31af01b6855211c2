"""A request becomes a chart: its prefetch, and what is read from the EHR's FHIR server."""
