"""The workbench: the service's own pages, where people meet the same chart. It judges nothing."""
