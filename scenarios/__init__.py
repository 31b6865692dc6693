"""What the generated program goes through in the field: streams of labelled samples, and scores."""
