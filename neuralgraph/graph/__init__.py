"""The study as a typed graph, in numpy only.

- ``adjacency``: edges of the visual graph: kept patches that are 4-neighbours on the grid (paper section 2)
- ``bundled_model``: what must be said of the model that comes with the package, wherever what it made is shown
- ``carried``: plain graphs: what ``ngr migrate`` takes over from files that say neither where a patch was nor what a
  concept is
- ``centrality``: betweenness centrality (Brandes 2001) in numpy
- ``column_values``: values on their way into the columns of a record, refused when they do not fit
- ``concepts``: concepts of the report graph, and the places of the report that say them
- ``frozen``: immutable values: arrays that cannot be written to, maps that cannot be changed
- ``fusion``: the fusion edge: the most central patch joined to the most central concept (paper section 2)
- ``into_columns``: a study into its columns (FORMAT.md section 5.3)
- ``origin``: whose words the report graph of a study is: a radiologist's, or a model's
- ``patches``: arrays of a study that belong together: the kept patches, and stored features of concepts
- ``pixels``: pixel patches: the kept patches cut from the film, stored only on request (FORMAT.md section 5.5)
- ``plain``: a study as plain values, for other formats: facts that JSON can say, and named arrays
- ``provenance``: what a study may say about its origin: an allow-list (FORMAT.md section 6.3)
- ``retention``: how many patches a share of the grid means
- ``rules``: what makes columns a study: every rule of FORMAT.md section 8, as a list of problems
- ``sentences``: the sentence of the report that a concept comes from, and how to say in a sign and a word what it
  says
- ``showing``: a study in a notebook: a small table with its attention map
- ``study``: a film (or several) pruned to its most attended patches, joined to the graph of its report
- ``study_fields``: what a study consists of, for those that read one and are needed to make one
- ``view``: one film of the study, its grid of patches and the attention each cell received
- ``words``: word attention: which patch the decoder looked at for which word, stored only on request
"""
