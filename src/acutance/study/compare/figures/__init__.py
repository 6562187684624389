"""The figures of a study's page, one a file: from answers and logs to SVG and tables."""
