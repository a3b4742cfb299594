"""The pieces of the HTML report: reading a run folder, figures, page."""
