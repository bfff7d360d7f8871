"""How a component and the page tell each other where the reader is: one way for all, without an echo.

Both sides may change a value, and what one sends may be older than what the other has done since. So the
page numbers what it wants (the ``revision``), a report names the revision that it knows, and each side moves
only for news of the other: feeding a report back is harmless, and a link or a back button takes effect. The
counterpart in the browser is ``js/reporter.js``.

A report is not written into the data, which Streamlit sends anew, maps and all, when any of it changes.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

Session = MutableMapping[Any, Any]
State = dict[str, Any]


def reported(session: Session, key: str) -> State:
    """What the component ``key`` has reported last, with the revision that it knew; empty if nothing."""
    return dict((session.get(key) or {}).get("state") or {})


def wish(session: Session, key: str, wanted: Mapping[str, Any]) -> State:
    """What the browser is told, as ``state`` and ``revision``: a higher one if ``wanted`` is news.

    It is no news if the last run wanted it or returned it, or if it has been reported since. A component
    that has reported nothing is where it was told to be: it may have been left, and be there again.
    """
    wanted, heard = dict(wanted), reported(session, key)
    told = session.setdefault(
        f"{key}:told", {"state": wanted, "revision": 0, "last": wanted, "returned": wanted}
    )
    places = [told["last"], told["returned"]] if heard else [told["state"]]
    if heard.get("revision") == told["revision"]:
        places.append(heard)
    if not any(wanted.items() <= place.items() for place in places):
        told.update(state=wanted, returned=wanted, revision=told["revision"] + 1)
    told["last"] = wanted
    return told


def current(session: Session, key: str) -> State:
    """Where the component is: what it reported, unless the page has wanted something else since."""
    told = session[f"{key}:told"]
    heard = reported(session, key)
    return heard if heard.pop("revision", None) == told["revision"] else dict(told["state"])


def acknowledge(session: Session, key: str) -> State:
    """The page has taken over what ``key`` reported: any state of before is news again. Returns it.

    The run that a report causes may be cut short by the next one before it comes to the component. To be
    called when the report comes in, so that going back right after it is not mistaken for an echo.
    """
    told, heard = session.get(f"{key}:told"), reported(session, key)
    revision = heard.pop("revision", None)
    if told and revision == told["revision"]:
        told["last"] = told["returned"] = heard
    return heard
