"""What models are worth on films of people: marked films, cross-validated by patient (``python -m bench real``)."""
