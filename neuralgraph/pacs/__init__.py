"""Films from a picture archive (PACS) into a folder, and studies back into it.

Films are pulled over DICOMweb (``web``) or received by C-STORE (``listener``) into a folder that ``ngr convert`` reads
(``spool``). Studies go back as Raw Data objects that carry their bytes unchanged (``raw_data``), with an optional
presentation state that shows the kept patches over the film (``overlay``), over DICOMweb or by C-STORE (``send``).

What lies in the archive and in the spool is the patient's own record, under real names: nothing here is pseudonymised.
"""

from __future__ import annotations

from neuralgraph.pacs.raw_data import ngr_bytes, raw_data_object

__all__ = ["ngr_bytes", "raw_data_object"]
