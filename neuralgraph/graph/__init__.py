"""The study as a typed graph, in numpy only.

- ``adjacency``: edges of the visual graph: kept patches that are 4-neighbours on the grid (paper section 2)
- ``carried``: plain graphs: what ``ngr migrate`` takes over from files that say neither where a patch was nor what a
  concept is
- ``column_values``: values on their way into the columns of a record, refused when they do not fit
- ``concepts``: concepts of the report graph, and the places of the report that say them
- ``frozen``: immutable values: arrays that cannot be written to, maps that cannot be changed
- ``fusion``: the fusion edge: the most central patch joined to the most central concept (paper section 2), and
  betweenness centrality in numpy
- ``origin``: what must be said wherever a study is shown: whose words its report graph is, and of the bundled model
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
- ``view``: one film of the study, its grid of patches and the attention each cell received
- ``words``: word attention: which patch the decoder looked at for which word, stored only on request
"""
