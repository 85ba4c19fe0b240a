"""Films as people have them: DICOM, PNG and JPEG, read to grey values and facts, or refused with a reason.

- ``burned_text``: letters burned into a picture: a mark for whoever decides, never a decision
- ``codestream``: what a compressed picture says of its own size, read without decoding it
- ``colour``: grey films saved as colour: equal channels, a palette of greys, or one tint over the whole picture
- ``decoder_noise``: what a C decoder writes to the standard error stream
- ``deflated``: deflated data sets (transfer syntax 1.2.840.10008.1.2.1.99, PS3.5 A.5), inflated within bounds
- ``dicom``: films from DICOM files
- ``dicom_colour``: grey films that a DICOM file stores in colour
- ``dicom_header``: the few header elements of a DICOM file that a film needs, and where its pixel data begins
- ``dicom_pixels``: stored values from the pixel data of a DICOM file: one frame, one sample per pixel
- ``dicom_view_words``: the view that a DICOM header states
- ``facts``: the facts that a film may carry into its study
- ``film``: one grey radiograph as the compressor wants it, and the little that may be known of its source
- ``geometry``: which way up a film is, and square pixels: what the header says, undone on the pixels
- ``grey_levels``: stored values through a table of grey levels, the quickest of three ways that all give the same
  pixels
- ``images``: films from PNG and JPEG files
- ``lookup_table``: modality and VOI look-up tables of a DICOM header (PS3.3 C.11.1.1, C.11.2.1.1)
- ``png_chunks``: the chunk layer of PNG (ISO/IEC 15948 section 5)
- ``presentation``: from stored values to what a reader of the film sees, 0 black to 1 white
- ``quality``: whether a film says anything
- ``recognise``: which kind of film a file is, by its content; names and extensions say nothing reliable
- ``run_length``: RLE Lossless (DICOM PS3.5 annex G), bounded by the picture's size
- ``samples``: the samples of a film at the depth its file has them: what a codec of pictures is given
- ``view_words``: what people write about a view, read as two things
"""
