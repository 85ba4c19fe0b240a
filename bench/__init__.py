"""Measurements; each writes its results to bench/results, and a page of docs/measurements is made of them.

``python -m bench NAME [OPTIONS]`` runs the one of the name; without a name it lists them. A measurement is a module or
a package of its name. Beside them: ``film_folder`` looks at any folder of films, ``range_server`` is a server for those
that read over a network, ``probe`` a small model on stored values, ``rounding`` and ``figures`` what results and
pictures share, ``shared_data`` says where films and reports lie that the repository may not hold,
``rate_distortion_plot`` draws its results, and ``living_studies``, ``modelless_worker`` and ``report_sentences`` serve
the measurements that their names begin with or that import them.
"""
