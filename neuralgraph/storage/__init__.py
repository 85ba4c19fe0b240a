"""Where the layout of a file and the meaning of a study meet.

``save`` writes studies, with ``lossy`` (what a form costs them), ``profiles`` (what a file is for), ``atomic`` (written
aside and renamed) and ``private`` (for the owner alone). ``opening`` says what a path may be, ``archive`` reads studies
there, with ``lookup`` (ids to positions) and ``identity`` (whether it is the same archive still); ``gate`` is what a
record must prove first. ``manifest`` says which archives of a collection count, ``far_collection`` the same behind a
URL. ``pack`` joins and parts files, ``validate`` lists what is wrong with one, ``recover`` saves what is whole of it,
``differences`` compares what two mean, and ``decoded`` writes as JSON what one says.
"""
