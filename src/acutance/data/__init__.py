"""Where training pairs come from: folders, drawn pictures, batches as functions of the step."""
