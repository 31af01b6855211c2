"""The rules for other engines: FHIR R4 package with ELM that reads the resources by itself."""
