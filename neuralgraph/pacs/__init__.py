"""Films from a picture archive (PACS) into a folder, and studies back into it.

Films are pulled over DICOMweb (``web``) or received by C-STORE (``listener``) into a folder that ``ngr convert`` reads
(``spool``). Studies go back as Raw Data objects that carry their bytes unchanged (``raw_data``), with an optional
presentation state that shows the kept patches over the film (``overlay``), over DICOMweb or by C-STORE (``send``).

What lies in the archive and in the spool is the patient's own record, under real names: nothing here is pseudonymised.

- ``connection``: HTTP with bounds, on bytes, on time and on how often it is asked
- ``finding_codes``: codes for what reports say, of SNOMED CT and DICOM
- ``findings_report``: the findings of a study as a Structured Report (PS3.16 TID 1500)
- ``identity``: patient and study of a film, for objects that go into the archive beside it, and identifiers made
  from content
- ``listener``: a C-STORE listener: films that an archive sends are kept in the spool as they come
- ``listing``: all that a search finds, page by page, and whether it can be all (QIDO-RS; PS3.18 section 10.6)
- ``multipart``: the one object in an answer of WADO-RS: a multipart body, or the object alone
- ``narrowing``: a search asked again in parts, to learn whether the server keeps results back
- ``overlay``: the kept patches as a Grayscale Softcopy Presentation State (PS3.3 A.33.1)
- ``pulling``: what a pull brought, and what it could not bring
- ``raw_data``: a file of studies as a DICOM Raw Data object (PS3.3 A.37), the class that is meant for what only its
  maker reads
- ``same_object``: whether two files are the same object, sent twice
- ``segmentation``: the kept patches as a DICOM Segmentation (PS3.3 A.51)
- ``send``: objects to an archive: over DICOMweb where the address is a URL, by C-STORE where it is TITLE@host:port
- ``spool``: the folder between an archive and ``ngr convert``
- ``store_web``: STOW-RS: objects into an archive over DICOMweb (PS3.18 section 10.5)
- ``web``: DICOMweb: films and reports out of an archive into the spool (QIDO-RS, WADO-RS; PS3.18)
"""

from __future__ import annotations

from neuralgraph.pacs.raw_data import ngr_bytes, raw_data_object

__all__ = ["ngr_bytes", "raw_data_object"]
