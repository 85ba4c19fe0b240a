"""The command ``ngr``, one file per verb.

Results go to stdout, progress and one-line errors to stderr. Exit codes: 0 success; 1 finished, but something failed or
is invalid; 2 wrong usage; 3 the input cannot be read or is not valid; 4 an extra or a model is missing.

- ``assemble``: ``ngr assemble``, a model to train, from a vision and a text checkpoint
- ``audit``: ``ngr audit``, does anything of the source show in the outputs?
- ``bench``: ``ngr bench``, bytes and fidelity of films in every coding, and how long they travel
- ``bench_films``: which films ``ngr bench`` measures, and measuring them one by one
- ``bench_lines``: what ``ngr bench`` prints
- ``card``: ``ngr card``, a data set card and its metadata
- ``catalog``: ``ngr catalog``, tables about studies
- ``collection``: ``ngr collection``, a folder or a bucket of archives that grows and forgets
- ``completion``: completion of study ids in the shell, where it is cheap: of local archives, a few at a time
- ``compress``: ``ngr compress``, one film and its report to one file
- ``conformance``: ``ngr conformance``, does another reader agree with the conformance vectors?
- ``contact_sheet``: options of a contact sheet, and the sheet that they ask for: part of ``ngr render``
- ``conversion_choices``: what ``ngr compress`` and ``ngr convert`` can be asked for, word by word
- ``conversion_options``: the options of ``ngr convert``, in groups
- ``conversion_report``: what a conversion says: counts of what would be done, and of what was
- ``conversion_source``: from what was typed to the manifest of a source: for ``ngr convert`` and ``ngr train``
- ``convert``: ``ngr convert``, a whole data set, continued where the last run ended
- ``decode``: ``ngr decode``, what files say, as JSON that another reader can be compared with
- ``demo``: ``ngr demo``, the whole path on a synthetic film, in one command
- ``diff``: ``ngr diff``, what differs in meaning
- ``doctor``: ``ngr doctor``, what works here, and what to install for what does not
- ``evaluate``: ``ngr evaluate``, train downstream models on studies and score them
- ``export``: ``ngr export``, a study in a format that other tools read
- ``film_words``: what a study says of its films, in words for a terminal
- ``films``: films that a person names the folder of: for ``ngr view``, ``ngr render`` and ``ngr serve``
- ``find``: ``ngr find``, which studies answer a question
- ``generate``: ``ngr generate``, a report from the patches a file holds
- ``info``: ``ngr info``, what is in a file
- ``listen``: ``ngr listen``, films that an archive sends
- ``main``: the command ``ngr``: verbs, and errors as one line and an exit code
- ``migrate``: ``ngr migrate``, lists of graphs that the published code pickled, without unpickling them
- ``model_notice``: what must be said of a model wherever its results are shown
- ``model_state``: what is known of a model without loading it: its files, and what its training measured
- ``option_groups``: options in groups: a verb takes a dataclass for each
- ``output``: what verbs print: text, or JSON in one stable form
- ``overview_lines``: how an overview of many studies is printed
- ``overwriting``: outputs that exist: no verb replaces one unless it is told to
- ``pack``: ``ngr pack``, many files into one archive
- ``processors``: how many processors there are for us
- ``progress``: how far a long verb has come
- ``pruning_options``: which patches survive, as the verbs ask for it
- ``pull``: ``ngr pull``, films out of an archive, over DICOMweb
- ``push``: ``ngr push``, studies into an archive, beside their films
- ``recover``: ``ngr recover``, whole studies out of a damaged file
- ``remote_choices``: what verbs that speak to others let the caller choose
- ``render``: ``ngr render``, a picture of a study
- ``serve``: ``ngr serve``, a collection over HTTP
- ``stop_signals``: SIGINT and SIGTERM as a question that a long run asks itself, so that it can leave what it has
- ``study_options``: how studies are made of films and reports
- ``train``: ``ngr train``, a model for one's own films, continued where the last run ended
- ``unpack``: ``ngr unpack``, an archive into one file per study
- ``validate``: ``ngr validate``, the verdict on files, for people and for CI
- ``verdicts``: verdicts in the formats CI systems read: JUnit XML and SARIF 2.1.0
- ``view``: ``ngr view``, look at a file in a browser
"""

from neuralgraph.cli.main import main

__all__ = ["main"]
