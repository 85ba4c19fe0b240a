"""Where the layout of a file and the meaning of a study meet.

- ``save``: studies to files
- ``lossy``: what a form costs a study, on record
- ``atomic``: files written aside and renamed
- ``opening``: what a path may be, and what of it is opened
- ``archive``: studies read by position or id
- ``lookup``: study ids of an archive, and from an id to a position
- ``identity``: whether what is opened again is what was opened before
- ``gate``: what a record must prove before anything of it is handed out
- ``manifest``: which archives of a collection count
- ``pack``: joining and parting files
- ``validate``: every problem of a file
- ``recover``: whole studies out of a damaged file
- ``differences``: what two files mean differently
- ``decoded``: what a file says, as JSON
"""
