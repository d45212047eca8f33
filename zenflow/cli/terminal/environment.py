"""Names of environment variables that several parts of the command line read. A leaf: it costs no import."""

COMPLETION_VARIABLE = "_ZENFLOW_COMPLETE"
