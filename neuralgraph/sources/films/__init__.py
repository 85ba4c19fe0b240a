"""Films as people have them: DICOM, PNG and JPEG, read to grey values and facts, or refused with a reason."""
