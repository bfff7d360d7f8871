"""Grids of trained runs: what differs, who trains what, and what came out, with its uncertainty.

    grid.py         what differs between runs, in YAML; the shipped ones are in grids/
    study.py        the folder of a grid and its runs
    checks.py       whether all of a grid can be trained
    queue.py        whose turn it is, by Optuna
    work.py         one worker, and how it stops
    sweep.py        several, side by side
    cost.py         what is left, by measured cost
    answers.py      what a run answers to each held-out sample
    results.py      accuracies over seeds, differences, a report
    places.py       where studies are looked for, by name
    shipping.py     what of one comes with the package

Only what trains needs the extra ``train``; results are read without.
"""
