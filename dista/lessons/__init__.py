'''What lessons are made of: exercises that are checked, predictions that are scored, and the answers to both.

For those who write a lesson
============================

A lesson is a notebook ``notebooks/NN_a_question.ipynb`` and a module ``dista/lessons/lesson_NN.py`` with its
exercises; wrong answers to them stand in ``tests/wrong_answers/lesson_NN.py``. Nothing else has to be entered
anywhere: ``tests/test_notebooks.py`` and ``tests/test_lessons.py`` run over all files.

**The notebook** has, in this order: ``# N · The question?`` with a line of minutes, of what one should know and of
what one will be able to do; short sections (``## ...``), each with one idea, its equation beside the line of code
that computes it, one thing to move and one figure; at least one prediction, before its result is shown; at least two
exercises; ``## What was learnt`` with numbers that the run fills in (``Markdown(f"...")``); ``## What we do not
know``; and in its last code cell the link that opens the dashboard in the same state,
``lessons.dashboard("neurons", "The same neurons on the dashboard", checkpoint="match-map")``. It holds no outputs, no plotting code, no cell of more
than 25 lines, and no function outside of an exercise. What takes long is a number at the top (``pairs = 200``), which
``FEWER`` in ``tests/test_notebooks.py`` makes smaller for tests.

**An exercise** is one code cell with the tag ``exercise`` (``cell.metadata.tags``): the stub, and as its last line the
check. The markdown cell after it holds the solution, folded; a test puts it in the place of the stub::

    def half_life(tau):
        """Steps in which a potential falls to a half. tau: a number above 1. half_life(2.0) is 1.0."""
        raise NotImplementedError

    lesson_05.half_life.check(half_life)       # from dista.lessons import lesson_05

    <details><summary>Solution</summary>

    ```python
    def half_life(tau):
        return math.log(0.5) / math.log(1 - 1 / tau)
    ```

    </details>

and in ``dista/lessons/lesson_05.py``::

    half_life = Exercise(
        "5.1", "half-life", minutes=5, difficulty=1,
        cases=[Case("tau = 2", 2.0), Case("tau = 8", 8.0)],   # words for the reader, then the arguments
        right=measures.half_life,
        mistakes=[
            Mistake("This is the half-life of exp(-t / tau). A step here is ...", like=lambda tau: tau * math.log(2)),
            Mistake("It must grow with tau.", when=lambda case, answer, expected: answer < expected),
        ],
        hints=("What is left after one step? After n?", "log(0.5) / log(what is left after one step)"),
    )

``right`` gives the expected answer of a case; where many answers are right, ``judge(answer, *arguments)`` returns
what is wrong with one, or None. An answer that is a number and no function has one case without arguments; its stub
is ``my_tau = None``. A mistake is named where all answers are those of the wrong function ``like``, or where ``when``
is true for a case that is wrong; the first that fits is said. Answers may be numbers, arrays, tensors, and tuples,
lists and dicts of them; ``close`` is the relative tolerance.

**Wrong answers**, at least two for an exercise, as a reader would write them, with words of the mistake that the check
has to name::

    WRONG = {"5.1": [(lambda tau: 0.693 * tau, "exp(-t / tau)"), (lambda tau: 1 / tau, "grow with tau")]}

**A prediction** is made of a question and of the run's own result, and shown by a widget, which hides the result until
the reader has decided::

    memory = Bars("Which share of its attention goes to each step?", share, labels=task.step_labels,
                  misconceptions=[Misconception("The past is as ...", when=lambda values, truth: values[0] < 0.1)])
    widgets.predict(memory)

The kinds: ``Steps`` (mark the steps), ``Bars`` (drag bars), ``Curve`` (draw a curve), ``Order`` (sort), ``Pick`` (one
place on a map), ``Choice`` (one of several). Without a widget, ``memory.answer([...])`` does the same, and
``memory.said`` is the last answer in words, for *What was learnt*. The default position must score badly: choose a
question whose answer is not it. A test refuses others. Assign each prediction to a name of the notebook.
'''

from dista.lessons.exercises import Case, Exercise, Mistake, Verdict
from dista.lessons.links import Link, dashboard
from dista.lessons.marked import Choice, Pick, Steps
from dista.lessons.predictions import Answer, Misconception, Prediction
from dista.lessons.sized import Bars, Curve, Order

__all__ = [
    "Answer",
    "Bars",
    "Case",
    "Choice",
    "Curve",
    "Exercise",
    "Link",
    "Misconception",
    "Mistake",
    "Order",
    "Pick",
    "Prediction",
    "Steps",
    "Verdict",
    "dashboard",
]
