"""Wrong answers to the exercises of lesson 8, as readers write them, and words of the mistake that is named."""


def only_stops(training):
    states = [training.state]
    if training.state == "running":
        training.stop()
        training.wait()
    return [*states, training.state, training.state]


def does_not_wait(training):
    states = [training.state]
    if training.state == "running":
        training.stop()
    states.append(training.state)
    training.wait()
    if training.state == "stopped":
        training.resume()
        training.wait()
    return [*states, training.state]


def leaves_it_running(training):
    states = [training.state]
    if training.state == "running":
        training.stop()
        training.wait()
    states.append(training.state)
    if training.state == "stopped":
        training.resume()
    return [*states, training.state]


def first_error(log):
    for line in log.splitlines():
        if "Error: " in line and line[0] != " ":
            return line.split("Error: ", 1)[1]
    return ""


def with_its_kind(log):
    errors = [line for line in log.splitlines() if "Error: " in line and line[0] != " "]
    return errors[-1] if errors else ""


def last_line(log):
    line = log.splitlines()[-1]
    return line.split("Error: ", 1)[1] if "Error: " in line else line


WRONG = {
    "8.1": [
        (only_stops, "not resumed"),
        (does_not_wait, "read too early"),
        (leaves_it_running, "still ran"),
    ],
    "8.2": [
        (first_error, "you took the first"),
        (with_its_kind, "the whole line"),
        (last_line, "no error if it does not say so"),
    ],
}
